/** Nobody answers there. */
export class ServerUnreachable extends Error {
  readonly code = "server_unreachable";
}

/** As `fetch` does it; rejects with ServerUnreachable, which says where nobody was, and why. */
export async function reach(url: string, init: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    throw new ServerUnreachable(`nobody answers at ${new URL(url).origin}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** The system's word for it, which `fetch` has as its cause. */
function reasonOf(error: unknown): string {
  const cause: unknown = error instanceof Error ? (error.cause ?? error) : error;
  if (!(cause instanceof Error)) return String(cause);
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.message;
}
