import webPush from "web-push";
import { PUSH_TTL_SECONDS_MAX } from "../../engine/push-limits.ts";
import type { GuardedPost, Posted } from "../webhooks/guarded-post.ts";
import type { OpenPush } from "./push-ledger.ts";
import type { PushNotice } from "./push-notice.ts";
import type { VapidKeys } from "./vapid-keys.ts";

/** Encrypts notices for browsers (RFC 8291), and hands them to their push services. */
export class PushSender {
  readonly #keys: VapidKeys;
  readonly #post: Pick<GuardedPost, "send">;

  constructor(keys: VapidKeys, post: Pick<GuardedPost, "send">) {
    this.#keys = keys;
    this.#post = post;
  }

  send(
    { endpoint, p256dh, auth }: OpenPush,
    { json, topic, urgency, untilMs }: PushNotice,
    { nowMs, stopping }: { readonly nowMs: number; readonly stopping: AbortSignal },
  ): Promise<Posted> {
    const left = Math.ceil((untilMs - nowMs) / 1_000);
    const TTL = Math.max(0, Math.min(left, PUSH_TTL_SECONDS_MAX));
    const subscription = { endpoint, keys: { p256dh, auth } };
    const options = { vapidDetails: this.#keys, TTL, urgency, topic };
    const request = webPush.generateRequestDetails(subscription, json, options);
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    const body = request.body ?? Buffer.alloc(0);
    return this.#post.send(endpoint, { headers, body, stopping });
  }
}
