import type { CommandResult } from '@muster/proto';
import { CommandOutcome } from '@muster/proto/records';
import type { Command } from '@muster/proto/records';

/** One command in the agent's journal. Written before it runs, so that it never runs twice. */
export interface JournalEntry {
  id: string;
  expiresAtMs: number;
  /** Absent while it runs. */
  result?: CommandResult;
  /** The hub has stored the result; the entry stays until the command has expired, against replays. */
  acknowledged: boolean;
}

/** Kept this long after a command's expiry, for clocks that differ. */
const REPLAY_MARGIN_MS = 15 * 60_000;

export type Admission = { kind: 'run' } | { kind: 'running' } | { kind: 'answered'; result: CommandResult };

/** What the agent remembers of commands. Pure; the caller persists what `changed` names. */
export class CommandJournal {
  private readonly entries = new Map<string, JournalEntry>();

  /** Entries of an earlier process that have no result were cut off: their outcome is unknown. */
  constructor(restored: readonly JournalEntry[], nowMs: number) {
    for (const entry of restored) {
      this.entries.set(entry.id, entry.result ? entry : { ...entry, result: cutOff(entry.id, nowMs) });
    }
  }

  admit(command: Command): Admission {
    const known = this.entries.get(command.id);
    if (known) return known.result ? { kind: 'answered', result: known.result } : { kind: 'running' };
    this.entries.set(command.id, {
      id: command.id,
      expiresAtMs: Number(command.expiresAtMs),
      acknowledged: false,
    });
    return { kind: 'run' };
  }

  finish(result: CommandResult): JournalEntry | undefined {
    const entry = this.entries.get(result.commandId);
    if (!entry || entry.result) return undefined;
    entry.result = result;
    return entry;
  }

  acknowledged(id: string): JournalEntry | undefined {
    const entry = this.entries.get(id);
    if (!entry || entry.acknowledged) return undefined;
    entry.acknowledged = true;
    return entry;
  }

  get(id: string): JournalEntry | undefined {
    return this.entries.get(id);
  }

  /** Results to offer again when a session opens. */
  unacknowledged(): CommandResult[] {
    return [...this.entries.values()].flatMap((e) => (e.result && !e.acknowledged ? [e.result] : []));
  }

  /** Ids that may be forgotten: stored by the hub, and too old to be accepted again. */
  expire(hubNowMs: number): string[] {
    const ids: string[] = [];
    for (const e of this.entries.values()) {
      if (e.acknowledged && hubNowMs > e.expiresAtMs + REPLAY_MARGIN_MS) ids.push(e.id);
    }
    for (const id of ids) this.entries.delete(id);
    return ids;
  }
}

function cutOff(id: string, nowMs: number): CommandResult {
  return {
    commandId: id,
    outcome: CommandOutcome.UNKNOWN,
    message: 'the agent was stopped while this command ran and cannot prove what came of it',
    finishedAtMs: BigInt(nowMs),
    payloadSha256: Buffer.alloc(0),
  };
}
