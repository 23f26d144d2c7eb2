// A request in the forms in which programs send it.
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function python(value) {
  return JSON.stringify(value, null, 4).replace(
    /"(?:[^"\\]|\\.)*"|\btrue\b|\bfalse\b|\bnull\b/g,
    (found) => ({ true: "True", false: "False", null: "None" })[found] ?? found,
  );
}

// By name: curl, Python, command and job item of a task's request.
export function snippets(path, kind, body, place = {}) {
  const url = new URL(path, location.href.split("#")[0]).href;
  const json = JSON.stringify(body);
  const service = new URL(".", location.href.split("#")[0]).href.replace(/\/$/, "");
  const places = Object.values(place).map((each) => `${JSON.stringify(each)}, `).join("");
  return {
    curl: `curl -s ${quoted(url)} -H 'content-type: application/json' \\\n  -d ${quoted(json)}`,
    Python:
      `from chainwright_client import Client\n\nwith Client(${JSON.stringify(service)}) as client:\n` +
      `    answer = client.${kind}(${places}**${python(body).replaceAll("\n", "\n    ")})`,
    job: `${JSON.stringify({ url: `/${path}`, body })}`,
  };
}
