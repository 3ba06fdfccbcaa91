import type {
  AskRefused,
  AssignmentAck,
  CommandResult,
  Heartbeat,
  Hello,
  Held,
  Report,
  SessionRequest,
  SessionResponse,
} from '@muster/proto';
import { Registration } from '@muster/proto/records';
import type { Facts, Signed, Version } from '@muster/proto/records';
import { payloadSha256 } from './envelope.ts';
import { fingerprint } from './fingerprint.ts';
import type { HeldLine } from './fingerprint.ts';
import { ZERO, applicationKey, compareVersions } from './version.ts';

/** An assignment that the database wants this cluster to hold, with its bytes. */
export interface DesiredAssignment extends HeldLine {
  signed: Signed;
}

/** What the shell loads from the database before it opens a session. */
export interface SessionOpening {
  sessionId: string;
  hubId: string;
  nowMs: number;
  leaseSeconds: number;
  /** Why nothing may be sent now (recovery, waiting for an approval); undefined: all clear. */
  holding?: string;
  /** Last stored report of the hello's instance; 0 when the instance is unknown. */
  lastReport: bigint;
  /** Everything this cluster should hold. Ignored while holding. */
  desired: readonly HeldLine[];
  keySet: Signed;
  keySetVersion: bigint;
  registration?: Signed;
  /** Signed commands without an outcome, not expired, oldest first. Ignored while holding. */
  commands: readonly OfferedCommand[];
}

/** A signed command with the id of its row: what the bytes say is not believed, as somebody may have altered them. */
export interface OfferedCommand extends Signed {
  id: string;
}

/** To be carried out in order. `load-*` answers come back as events. */
export type HubEffect =
  | { kind: 'send'; message: NonNullable<SessionResponse['message']> }
  /** The agent holds exactly these payloads: mark them acknowledged. */
  | { kind: 'acknowledged'; lines: readonly HeldLine[] }
  | { kind: 'refused'; payloadSha256: Uint8Array; reason: string }
  /** Held by the agent, unknown here. Replaces what was unclaimed before for this cluster. */
  | { kind: 'unclaimed'; held: readonly Held[] }
  /** Load what is desired now, then feed `desired`. */
  | { kind: 'load-desired'; for: 'compare' | 'inventory' }
  /** Load the bytes of these Applications' assignments, then feed `assignments`. */
  | { kind: 'load-assignments'; keys: readonly string[] }
  | { kind: 'store-report'; report: Report }
  | { kind: 'store-command-result'; result: CommandResult }
  | { kind: 'ask-refused'; refused: AskRefused }
  /** `clockOffsetMs`: what the agent adds to its clock to get the hub's; undefined: an agent that does not say. */
  | { kind: 'heard'; highest: Version; facts?: Facts; clockOffsetMs?: number }
  | { kind: 'key-set-acknowledged'; version: bigint; refused: string };

export type HubEvent =
  | { kind: 'received'; message: SessionRequest['message']; nowMs: number }
  /** New or changed assignments, as loaded after a notification or on request. */
  | { kind: 'assignments'; rows: readonly DesiredAssignment[] }
  | { kind: 'desired'; for: 'compare' | 'inventory'; lines: readonly HeldLine[] }
  | { kind: 'commands'; commands: readonly OfferedCommand[] }
  /** Sent once: who waits for the answer has a deadline. */
  | { kind: 'ask'; signed: Signed }
  | { kind: 'ask-cancel'; id: string }
  | { kind: 'key-set'; signed: Signed }
  | { kind: 'registration'; signed: Signed }
  /** The report's transaction has ended: stored up to `sequence`; `gap` when it could not follow on. */
  | { kind: 'report-stored'; instanceId: string; sequence: bigint; gap: boolean }
  | { kind: 'command-result-stored'; commandId: string }
  /** The reason to hold back has gone, or has come. */
  | { kind: 'holding'; reason?: string; commands: readonly OfferedCommand[] };

/** Heartbeats that may pass before unanswered assignments are looked into. */
const PATIENCE = 2;

/**
 * The hub's side of one session as a deterministic machine: events in, effects out. It keeps no list of what the
 * cluster holds: only what is on its way, and the fingerprint both sides last agreed on. docs/link-protocol.md.
 */
export class HubSession {
  private holding: string | undefined;
  private agreed: Buffer | undefined;
  /** Sent and not answered, by `namespace/name`, with the digest of the bytes as sent, altered or not. */
  private inFlight = new Map<string, { sha: Uint8Array; line: HeldLine }>();
  private beatsInFlight = 0;
  /** Commands sent and without a result, by id. */
  private openCommands = new Map<string, { signed: Signed; beats: number }>();
  private comparing: Uint8Array | undefined;
  private inventory: readonly Held[] | undefined;
  private keySetVersion = 0n;

  /** Answers the agent's hello. The shell has checked the peer, the cluster's state and its kube-system UID. */
  open(hello: Hello, opening: SessionOpening): HubEffect[] {
    this.holding = opening.holding;
    this.keySetVersion = opening.keySetVersion;
    const wanted = fingerprint(opening.desired);
    const upToDate = this.holding === undefined && same(wanted, hello.fingerprint);
    const effects: HubEffect[] = [
      send('welcome', {
        sessionId: opening.sessionId,
        hubId: opening.hubId,
        hubTimeMs: BigInt(opening.nowMs),
        leaseSeconds: opening.leaseSeconds,
        holding: this.holding !== undefined,
        holdingReason: this.holding ?? '',
        lastReport: opening.lastReport,
        upToDate,
      }),
    ];
    if (hello.keySetVersion < opening.keySetVersion) effects.push(send('keySet', opening.keySet));
    if (opening.registration && registrationDiffers(hello.registration, opening.registration)) {
      effects.push(send('registration', opening.registration));
    }
    if (upToDate) {
      this.agreed = wanted;
      effects.push({ kind: 'acknowledged', lines: opening.desired });
      effects.push({ kind: 'unclaimed', held: [] });
    } else {
      effects.push(send('inventoryRequest', {}));
    }
    if (this.holding === undefined) effects.push(...this.command(opening.commands));
    return effects;
  }

  handle(event: HubEvent): HubEffect[] {
    switch (event.kind) {
      case 'received':
        return this.receive(event.message, event.nowMs);
      case 'assignments':
        return this.holding === undefined ? event.rows.flatMap((row) => this.deliver(row)) : [];
      case 'desired':
        return event.for === 'inventory'
          ? this.settleInventory(event.lines)
          : this.settleComparison(event.lines);
      case 'commands':
        return this.holding === undefined ? this.command(event.commands) : [];
      case 'ask':
        return this.holding === undefined ? [send('ask', event.signed)] : [];
      case 'ask-cancel':
        return [send('askCancel', { askId: event.id })];
      case 'key-set':
        return [send('keySet', event.signed)];
      case 'registration':
        return [send('registration', event.signed)];
      case 'report-stored':
        return [
          send('reportAck', { instanceId: event.instanceId, sequence: event.sequence, resend: event.gap }),
        ];
      case 'command-result-stored':
        this.openCommands.delete(event.commandId);
        return [send('commandResultAck', { commandId: event.commandId })];
      case 'holding':
        return this.hold(event.reason, event.commands);
    }
  }

  /** Assignments on their way, for back-pressure. */
  get pending(): number {
    return this.inFlight.size;
  }

  private hold(reason: string | undefined, commands: readonly OfferedCommand[]): HubEffect[] {
    const released = this.holding !== undefined && reason === undefined;
    this.holding = reason;
    if (!released) return [];
    this.agreed = undefined;
    return [send('inventoryRequest', {}), ...this.command(commands)];
  }

  private receive(message: SessionRequest['message'], nowMs: number): HubEffect[] {
    switch (message?.$case) {
      case 'heartbeat':
        return this.beat(message.value, nowMs);
      case 'inventory':
        this.inventory = message.value.held;
        return [{ kind: 'load-desired', for: 'inventory' }];
      case 'assignmentAck':
        return this.answered(message.value);
      case 'commandResult':
        return [{ kind: 'store-command-result', result: this.attributed(message.value) }];
      case 'report':
        return [{ kind: 'store-report', report: message.value }];
      case 'askRefused':
        return [{ kind: 'ask-refused', refused: message.value }];
      case 'keySetAck':
        return [
          { kind: 'key-set-acknowledged', version: message.value.version, refused: message.value.refused },
        ];
      case 'hello': // only the first message of a session; the shell opened it
      case undefined: // a message of a newer agent
        return [];
    }
  }

  private beat(beat: Heartbeat, nowMs: number): HubEffect[] {
    const effects: HubEffect[] = [
      {
        kind: 'heard',
        highest: beat.highest ?? ZERO,
        facts: beat.facts,
        ...(beat.clockOffsetMs !== undefined && { clockOffsetMs: Number(beat.clockOffsetMs) }),
      },
      send('heartbeatAck', { hubTimeMs: BigInt(nowMs) }),
    ];
    if (this.holding !== undefined) return effects;
    for (const open of this.openCommands.values()) {
      if (++open.beats % PATIENCE === 0) effects.push(send('command', open.signed)); // harmless when it runs already
    }
    if (this.inFlight.size > 0 && ++this.beatsInFlight < PATIENCE) return effects;
    this.inFlight.clear();
    this.beatsInFlight = 0;
    if (this.agreed && same(this.agreed, beat.fingerprint)) return effects;
    this.comparing = beat.fingerprint;
    effects.push({ kind: 'load-desired', for: 'compare' });
    return effects;
  }

  private command(commands: readonly OfferedCommand[]): HubEffect[] {
    return commands.map(({ id, ...signed }) => {
      this.openCommands.set(id, { signed, beats: 0 });
      return send('command', signed);
    });
  }

  /** An agent cannot name a command that does not verify: it is known by the bytes that were sent. */
  private attributed(result: CommandResult): CommandResult {
    if (result.commandId !== '') return result;
    for (const [id, { signed }] of this.openCommands)
      if (same(payloadSha256(signed), result.payloadSha256)) return { ...result, commandId: id };
    return result;
  }

  private settleComparison(desired: readonly HeldLine[]): HubEffect[] {
    const theirs = this.comparing;
    this.comparing = undefined;
    if (!theirs || this.holding !== undefined) return [];
    if (this.inFlight.size > 0) return []; // new ones left meanwhile: the next heartbeat compares
    const wanted = fingerprint(desired);
    if (!same(wanted, theirs)) return [send('inventoryRequest', {})];
    this.agreed = wanted;
    return [{ kind: 'acknowledged', lines: desired }];
  }

  /** What differs is sent; what is held and unknown here is listed, never removed. */
  private settleInventory(desired: readonly HeldLine[]): HubEffect[] {
    const held = this.inventory;
    this.inventory = undefined;
    if (!held) return [];
    const theirs = new Map(held.map((h) => [applicationKey(h), h]));
    const wanted = new Set(desired.map(applicationKey));
    const unclaimed = held.filter((h) => !wanted.has(applicationKey(h)));
    const effects: HubEffect[] = [{ kind: 'unclaimed', held: unclaimed }];
    if (this.holding !== undefined) return effects;
    const equal: HeldLine[] = [];
    const missing: string[] = [];
    for (const line of desired) {
      const there = theirs.get(applicationKey(line));
      if (there && same(there.payloadSha256, line.payloadSha256)) equal.push(line);
      else if (!there || compareVersions(there.version ?? ZERO, line.version) < 0)
        missing.push(applicationKey(line));
      // Newer there than here: this hub has forgotten something. Recovery is the shell's decision (see `heard`).
    }
    if (equal.length > 0) effects.push({ kind: 'acknowledged', lines: equal });
    if (missing.length > 0) effects.push({ kind: 'load-assignments', keys: missing });
    return effects;
  }

  private deliver(row: DesiredAssignment): HubEffect[] {
    this.agreed = undefined;
    this.beatsInFlight = 0;
    this.inFlight.set(applicationKey(row), { sha: payloadSha256(row.signed), line: row });
    return [send('assignment', row.signed)];
  }

  private answered(ack: AssignmentAck): HubEffect[] {
    for (const [key, sent] of this.inFlight) {
      if (!same(sent.sha, ack.payloadSha256)) continue;
      this.inFlight.delete(key);
      if (ack.refused)
        return [{ kind: 'refused', payloadSha256: sent.line.payloadSha256, reason: ack.refused }];
      return [{ kind: 'acknowledged', lines: [sent.line] }];
    }
    if (ack.refused) return [{ kind: 'refused', payloadSha256: ack.payloadSha256, reason: ack.refused }];
    return []; // of an earlier send; the fingerprint settles it
  }
}

function registrationDiffers(theirs: Signed | undefined, ours: Signed): boolean {
  if (!theirs) return true;
  if (same(payloadSha256(theirs), payloadSha256(ours))) return false;
  return Registration.decode(theirs.payload).revision <= Registration.decode(ours.payload).revision;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

type Message = NonNullable<SessionResponse['message']>;

function send<C extends Message['$case']>(
  $case: C,
  value: Extract<Message, { $case: C }>['value'],
): HubEffect {
  return { kind: 'send', message: { $case, value } as Message };
}
