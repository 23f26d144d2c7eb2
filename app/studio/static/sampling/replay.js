// Chains put together again from their trace: the tokens of each at every step, and the edit that led there.

const splice = (tokens, place, old, now) => [...tokens.slice(0, place), ...now, ...tokens.slice(place + old.length)];

export class Replay {
  constructor() {
    this.moves = [];
    this.texts = [];
    this.chains = []; // of {first, edits: [{step, move, place, old, now, moved, ratio}], visits: [{step, density}], steps}
    this.tally = {}; // by move: {tried, moved}
  }

  // Take in a part of a stream's trace.
  add({ visits, edits }) {
    if (edits) {
      this.moves.push(...edits.moves);
      this.texts.push(...edits.texts);
    }
    let first = 0;
    visits.chain.forEach((chain, row) => {
      const it = this.#chain(chain);
      if (edits && visits.step[row] === 0) it.first = this.texts[edits.first[first++]];
      it.visits.push({ step: visits.step[row], density: visits.log_density[row], length: visits.length[row] });
    });
    edits?.chain.forEach((chain, row) => {
      const move = this.moves[edits.move[row]];
      const tally = (this.tally[move] ??= { tried: 0, moved: 0 });
      tally.tried += 1;
      tally.moved += edits.moved[row];
      const it = this.#chain(chain);
      it.steps = Math.max(it.steps, edits.step[row]);
      if (!edits.moved[row] || edits.place[row] === null) return;
      const [old, now] = [this.texts[edits.old[row]], this.texts[edits.new[row]]];
      it.edits.push({ step: edits.step[row], move, place: edits.place[row], old, now, ratio: edits.log_ratio[row] });
    });
  }

  #chain(number) {
    while (this.chains.length <= number) this.chains.push({ first: [], edits: [], visits: [], steps: 0 });
    return this.chains[number];
  }

  get steps() {
    return Math.max(0, ...this.chains.map((each) => each.steps));
  }

  // A chain at a step: its tokens, and the last edit that moved it.
  at(number, step) {
    const { first, edits } = this.chains[number];
    let tokens = first;
    let last = null;
    for (const edit of edits) {
      if (edit.step > step) break;
      tokens = splice(tokens, edit.place, edit.old, edit.now);
      last = edit;
    }
    return { tokens, last };
  }

  // The log-density of each chain at every step up to the last, as columns for a chart.
  densities() {
    const x = Array.from({ length: this.steps + 1 }, (_, step) => step);
    const lines = this.chains.map(({ visits, steps }, number) => {
      const values = [];
      let next = 0;
      let density = null;
      for (const step of x) {
        while (next < visits.length && visits[next].step <= step) density = visits[next++].density;
        values.push(step <= steps ? density : null);
      }
      return { label: String(number + 1), values };
    });
    return { x, lines };
  }
}
