/** What a calendar is told of a booking's event. */
export interface CalendarEntry {
  /** The same for all files of one booking: a later one replaces what an earlier one said. */
  readonly uid: string;
  /** Grows with every change of the event or the booking. */
  readonly sequence: number;
  readonly title: string;
  readonly description: string;
  /** null: the event names no place. */
  readonly location: {
    readonly title: string;
    readonly lat?: number;
    readonly lng?: number;
  } | null;
  /** Unix ms. */
  readonly startsMs: number;
  /** null: nobody knows. */
  readonly endsMs: number | null;
  /** IANA name. */
  readonly timezone: string;
  readonly isCancelled: boolean;
  /** When what it says was written, Unix ms. */
  readonly updatedMs: number;
}
