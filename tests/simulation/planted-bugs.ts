/**
 * Bugs to plant, one at a time, into a copy of the sources: each is one that somebody could make in
 * an afternoon, and the simulation has to find it. `find` stands in the file exactly once.
 */
export interface PlantedBug {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: "a frame is acknowledged without its fdatasync",
    file: "workers/journal/file-journal.ts",
    find: "    current.file.datasync();\n",
    replace: "",
  },
  {
    name: "a ticket is durable before its frame is",
    file: "workers/journal/journal-loop.ts",
    find: "for (const { link, ticket } of this.#waiting.slice(0, whole))",
    replace: "for (const { link, ticket } of this.#waiting)",
  },
  {
    name: "an answer without facts overtakes the facts that it rests on",
    file: "workers/shard/round.ts",
    find: "if (newest === undefined) this.#release(output);",
    replace: "if (newest !== null) this.#release(output);",
  },
  {
    name: "an lsn is left out now and then",
    file: "workers/shard/rounds.ts",
    find: "    shard.lsn += 1;\n",
    replace: "    shard.lsn += shard.lsn % 40 === 39 ? 2 : 1;\n",
  },
  {
    name: "recovery loses the last frame of the tail",
    file: "workers/journal/recovery.ts",
    find: "      recovered: this.#recovered,\n",
    replace: "      recovered: this.#recovered.slice(0, -1),\n",
  },
  {
    name: "the workers start before the tail is in the database",
    file: "workers/supervisor.ts",
    find: "    await this.#caughtUp(result.last);\n",
    replace: "",
  },
  {
    name: "a segment goes when its last lsn is durable, not projected",
    file: "workers/journal/file-journal.ts",
    find: "lsn <= (this.#projected.get(shard) ?? 0)",
    replace: "lsn <= (this.#last.get(shard) ?? 0)",
  },
  {
    name: "a new segment's name is not synced",
    file: "workers/journal/segment.ts",
    find: "  disk.rename(temporary, name);\n  disk.syncDirectory();\n",
    replace: "  disk.rename(temporary, name);\n",
  },
  {
    name: "facts that are projected stay in the queue and are projected twice",
    file: "workers/projector/shard-queue.ts",
    find: "    this.#head += facts;\n",
    replace: "    this.#head += Math.max(1, facts - 1);\n",
  },
  {
    name: "a batch that fails twice is taken as applied",
    file: "workers/projector/projector.ts",
    find: "        await this.#pauseAfter(tries);\n",
    replace: "        if (tries > 0) return this.#advance(slices, startedMs);\n",
  },
  {
    name: "a restart forgets how a hold ended that began and ended within one batch",
    file: "workers/projector/hold-fold.ts",
    find: "this.#replace(holdId, ({ eventId, hold }) => ({ eventId, hold, ended }))",
    replace: "this.#replace(holdId, () => null)",
  },
  {
    name: "a restart forgets the keys of holds that were left where they lay",
    file: "workers/projector/net-effects.ts",
    find: "    if (hold.hasKey) this.keyBlocks.add(hold, hold);\n",
    replace: "",
  },
  {
    name: "a hold that was booked ends once more when its time is up",
    file: "engine/hold-book.ts",
    find: "assert(this.#active.delete(ended.holdId) !== undefined, ",
    replace: 'assert(ended.end === "booked" || this.#active.delete(ended.holdId) !== undefined, ',
  },
  {
    name: "a hold ends a moment early",
    file: "engine/holds.ts",
    find: "state.holds.firstDue(nowMs)",
    replace: "state.holds.firstDue(nowMs + 20)",
  },
  {
    name: "holds of before a restart are not woken",
    file: "workers/supervisor.ts",
    find: '    for (const worker of this.#workers) worker.send({ kind: "wake" });\n',
    replace: "",
  },
  {
    name: "the key of a booking is forgotten",
    file: "engine/apply.ts",
    find: "  if (fact.key !== null) state.keys.keep",
    replace: '  if (fact.key !== null && fact.kind !== "booked") state.keys.keep',
  },
  {
    name: "keys of holds do not survive a restart",
    file: "workers/projector/net-effects.ts",
    find: "    if (fact.key !== null) this.keyBlocks.add(",
    replace: '    if (fact.key !== null && fact.kind !== "held") this.keyBlocks.add(',
  },
  {
    name: "a shard's time follows a clock that is set back",
    file: "workers/shard/logical-clock.ts",
    find: "this.#lastMs = Math.max(this.#lastMs, this.#wallMs());",
    replace: "this.#lastMs = this.#wallMs();",
  },
  {
    name: "an area is oversold by one",
    file: "engine/places.ts",
    find: "if (wanted > available)",
    replace: "if (wanted > available + 1)",
  },
  {
    name: "a released hold still counts against its buyer's limit",
    file: "engine/apply.ts",
    find: "  own(state, fact, -1);\n  noteDrop",
    replace: '  if (reason === "expired") own(state, fact, -1);\n  noteDrop',
  },
  {
    name: "a change that moves nothing is not told to those who watch",
    file: "workers/shard/rounds.ts",
    find: "    if (actor.watched) this.#output.changes",
    replace: '    if (actor.watched && fact.kind !== "extended") this.#output.changes',
  },
  {
    name: "the gate opens one round early",
    file: "workers/shard/round.ts",
    find: "?? Number.POSITIVE_INFINITY) <= ticket)",
    replace: "?? Number.POSITIVE_INFINITY) <= ticket + 1)",
  },
  {
    name: "an idle actor is let go before its facts are projected",
    file: "workers/shard/actor.ts",
    find: "      this.lastLsn <= projectedLsn &&\n",
    replace: "      projectedLsn >= 0 &&\n",
  },
  {
    name: "a watched actor is let go, and its changes with it",
    file: "workers/shard/actor.ts",
    find: "      !this.watched &&\n",
    replace: "",
  },
  {
    name: "what waited past its deadline is executed all the same",
    file: "workers/shard/shard-host.ts",
    find: "shard === undefined || nowMs > request.deadlineMs",
    replace: "shard === undefined",
  },
  {
    name: "busy is said of what was done",
    file: "workers/shard/shard-host.ts",
    find: "    const { reply } = decision;\n",
    replace: "    const reply = shard.lsn % 9 === 0 ? BUSY : decision.reply;\n",
  },
  {
    name: "an append of which a part is durable counts as a whole",
    file: "workers/journal/journal-loop.ts",
    find: "    return { chunks, whole, traced };\n",
    replace: "    return { chunks, whole: Math.max(1, whole), traced };\n",
  },
  {
    name: "a key is kept for ever",
    file: "engine/idempotency-keys.ts",
    find: "row < 0 || this.#rows.atMs(row) < nowMs - KEY_TTL_MS",
    replace: "row < 0",
  },
  {
    name: "selling goes on though PostgreSQL is far behind",
    file: "workers/shard/shard-host.ts",
    find: "shard.isBehind || this.#journalFull",
    replace: "this.#journalFull",
  },
  {
    name: "a request that timed out stays in flight",
    file: "gateway/shard-router.ts",
    find: "    lane.inFlight -= 1;",
    replace: '    if (answer.kind !== "timeout") lane.inFlight -= 1;',
  },
];
