/**
 * Draws from a Zipf distribution: the n-th of `count` is drawn 1/n^exponent times as often as the
 * first; exponent 0: all alike.
 */
export class Popularity {
  /** By index: share of all draws that are of it or of those before it. */
  readonly #cumulated: Float64Array;

  constructor(count: number, exponent: number) {
    const weights = Array.from({ length: count }, (_, index) => (index + 1) ** -exponent);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let sum = 0;
    this.#cumulated = Float64Array.from(weights, (weight) => {
      sum += weight / total;
      return sum;
    });
  }

  /** `chance`: from 0 to 1, 1 excluded. */
  draw(chance: number): number {
    let [low, high] = [0, this.#cumulated.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#cumulated[middle] ?? 1) > chance) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
