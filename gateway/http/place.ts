/** In degrees, to seven decimals: a centimetre. Computing with much smaller ones underflows. */
export interface Place {
  readonly lat: number;
  readonly lng: number;
}

const DECIMAL = /^[+-]?\d+(?:\.\d+)?$/;

/** Two decimal numbers with a comma between them, `52.5,13.4`; null: it is no place. */
export function parsePlace(text: string): Place | null {
  const parts = text.split(",").map((part) => part.trim());
  const [lat = Number.NaN, lng = Number.NaN] = parts.map((part) =>
    DECIMAL.test(part) ? Number(part) : Number.NaN,
  );
  const isPlace = parts.length === 2 && Math.abs(lat) <= 90 && Math.abs(lng) <= 180;
  return isPlace ? placeOf({ lat, lng }) : null;
}

/** The place, as exactly as places are kept. */
export function placeOf({ lat, lng }: Place): Place {
  return { lat: degreesOf(lat), lng: degreesOf(lng) };
}

// 0 and not -0.
const degreesOf = (degrees: number): number => Number(degrees.toFixed(7)) + 0;
