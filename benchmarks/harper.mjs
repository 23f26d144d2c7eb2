// Kinds of Harper's complaints about each line of standard input: node harper.mjs FOLDER, where harper.js is installed.
import { createInterface } from "node:readline";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const dist = pathToFileURL(`${resolve(process.argv[2])}/node_modules/harper.js/dist/`);
const { Dialect, LocalLinter } = await import(new URL("index.js", dist));
const { binaryInlined } = await import(new URL("binaryInlined.js", dist));
const linter = new LocalLinter({ binary: binaryInlined, dialect: Dialect.American });
for await (const line of createInterface({ input: process.stdin })) {
  const lints = await linter.lint(line, { language: "plaintext" });
  console.log(JSON.stringify(lints.map((lint) => lint.lint_kind())));
}
