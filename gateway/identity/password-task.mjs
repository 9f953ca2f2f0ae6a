/**
 * What a thread of the password pool does: argon2id, with OWASP's parameters (19 MiB, 2 passes),
 * which are the library's defaults. JavaScript, so that the thread needs no loader. It blocks its
 * own thread and no other, not even one of libuv's.
 *
 *   {kind: "hash", password}          → the hash, in PHC form
 *   {kind: "verify", password, hash}  → whether the password is the hash's
 */
import { hashSync, verifySync } from "@node-rs/argon2";

export default function run(task) {
  return task.kind === "hash" ? hashSync(task.password) : verifySync(task.hash, task.password);
}
