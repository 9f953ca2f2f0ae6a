// The bounds of printed tickets; limits.ts has those of the engine.

/** Tickets, QR codes and calendar files that may wait to be rendered; a PDF takes some 10 ms. */
export const PRESS_WAITING_MAX = 128;
/** How often a started node looks whether it is quiet enough to start the press that mails need. */
export const PRESS_BEGIN_LOOK_MS = 5_000;
/** The thread that renders ends after so long without work; the next ticket waits 1 s for it. */
export const PRESS_THREAD_IDLE_MS = 120_000;
/** Keys that sign tickets: each is published, and each ticket's QR code is looked up among them. */
export const TICKET_KEYS_MAX = 100;
