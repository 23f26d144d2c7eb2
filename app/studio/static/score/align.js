// Places of two lists of tokens in pairs: tokens of a longest common subsequence together, those between side by side.
export function aligned(a, b) {
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1, at = i * width + j; j >= 0; j -= 1, at -= 1)
      common[at] = a[i] === b[j] ? common[at + width + 1] + 1 : Math.max(common[at + width], common[at + 1]);
  const pairs = [];
  let [i, j, first] = [0, 0, 0]; // of the pairs from the first on none has a common token
  const add = (side, place) => {
    const hole = pairs.findIndex((pair, at) => at >= first && pair[side] === null);
    if (hole < 0) pairs.push(side ? [null, place] : [place, null]);
    else pairs[hole][side] = place;
  };
  while (i < a.length || j < b.length)
    if (i < a.length && a[i] === b[j]) first = pairs.push([i++, j++]);
    else if (j === b.length || (i < a.length && common[(i + 1) * width + j] >= common[i * width + j + 1])) add(0, i++);
    else add(1, j++);
  return pairs;
}
