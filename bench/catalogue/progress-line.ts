const WIDTH = 30;

/** Shows how far something is, in one line that is written over; off a terminal, ten lines. */
export function progressLine(what: string, total: number): (done: number) => void {
  const startedMs = Date.now();
  let shownTenths = 0;
  return (done) => {
    const share = total === 0 ? 1 : done / total;
    const tenths = Math.floor(share * 10);
    if (!process.stdout.isTTY && tenths === shownTenths) return;
    shownTenths = tenths;
    const seconds = (Date.now() - startedMs) / 1000;
    const left = Math.round((seconds / share) * (1 - share));
    const bar = "█".repeat(Math.round(share * WIDTH)).padEnd(WIDTH, "░");
    const rate = Math.round(done / Math.max(seconds, 0.001));
    const text = `${bar} ${done} of ${total} ${what}, ${rate}/s, ${left} s left`;
    process.stdout.write(process.stdout.isTTY ? `\r${text}   ` : `${text}\n`);
  };
}
