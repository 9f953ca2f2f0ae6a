/**
 * One end of a channel between threads, as far as the engine uses one: a MessagePort, or the
 * simulator's stand-in. Messages arrive in the order in which they were posted; what is posted on
 * different channels may overtake each other.
 */
export interface Port {
  /** What is in `transferList` (buffers, ports) moves instead of being copied. */
  postMessage(message: unknown, transferList?: readonly object[]): void;
  /** Both ends are this program's own code, so a listener says what it is sent. */
  on<Message>(event: "message", listener: (message: Message) => void): unknown;
  close(): void;
}

export interface Channel {
  readonly port1: Port;
  readonly port2: Port;
}
