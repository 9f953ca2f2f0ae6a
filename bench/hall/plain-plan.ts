const SEATS_IN_ROW = 40;
const ROWS_IN_ZONE = 25;

/** Blocks of 25 rows of 40 seats each, as a seating plan of pretix. */
export function plainPlan(seats: number): object {
  const rowsOf = (zone: number): object[] =>
    Array.from({ length: ROWS_IN_ZONE }, (_, index) => zone * ROWS_IN_ZONE + index)
      .filter((row) => row * SEATS_IN_ROW < seats)
      .map((row) => {
        const count = Math.min(SEATS_IN_ROW, seats - row * SEATS_IN_ROW);
        const places = Array.from({ length: count }, (_, n) => ({
          seat_guid: `${row}-${n}`,
          seat_number: String(n + 1),
          category: "Seats",
          position: { x: n * 20, y: (row % ROWS_IN_ZONE) * 25 },
        }));
        return { row_number: String(row + 1), seats: places };
      });
  const zones = Array.from(
    { length: Math.ceil(seats / (SEATS_IN_ROW * ROWS_IN_ZONE)) },
    (_, n) => ({
      name: `Block ${n + 1}`,
      position: { x: n * 900, y: 0 },
      rows: rowsOf(n),
    }),
  );
  return { name: "Bench", categories: [{ name: "Seats", color: "#7f8c8d" }], zones };
}
