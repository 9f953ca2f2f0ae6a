import { CAMPAIGN_WINNER_EVENTS_MIN } from "../../../engine/campaign-limits.ts";
import type { AbResult, AbTest, SampleCount } from "../campaign.ts";

/**
 * Which text goes to the rest: the one with the highest rate of people who opened, or clicked,
 * among those it was delivered to. Of equal ones, the one with the higher other rate; of these, the
 * first. Where the whole sample has fewer than CAMPAIGN_WINNER_EVENTS_MIN, chance decides: it is
 * the first.
 */
export function winnerOf(
  sample: readonly SampleCount[],
  { winnerBy }: Pick<AbTest, "winnerBy">,
): AbResult {
  const other = winnerBy === "opens" ? "clicks" : "opens";
  const events = sample.reduce((sum, count) => sum + count[winnerBy], 0);
  if (events < CAMPAIGN_WINNER_EVENTS_MIN) return { winner: 0, because: "too_few", sample };
  const best = (counts: readonly number[], by: "opens" | "clicks"): number[] => {
    const rate = (index: number): number => {
      const count = sample[index];
      return count === undefined || count.delivered === 0 ? 0 : count[by] / count.delivered;
    };
    const highest = Math.max(...counts.map(rate));
    return counts.filter((index) => rate(index) === highest);
  };
  const leaders = best(
    sample.map((_, index) => index),
    winnerBy,
  );
  const [winner = 0] = best(leaders, other);
  return { winner, because: leaders.length === 1 ? "rate" : "tie", sample };
}
