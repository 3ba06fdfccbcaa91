import type { Hello, Inventory, SessionRequest, SessionResponse, Welcome } from '@muster/proto';
import { Action, CommandOutcome } from '@muster/proto/records';
import type {
  ApplicationStatus,
  Ask,
  Assignment,
  Command,
  Facts,
  Signed,
  Version,
} from '@muster/proto/records';
import { CommandJournal } from './agent-commands.ts';
import type { JournalEntry } from './agent-commands.ts';
import { acknowledge, asGone, asHeldLine, asReport, send, versionOf } from './agent-messages.ts';
import { ReportOutbox } from './agent-reports.ts';
import { TrustStore } from './agent-trust.ts';
import type { PinnedHub } from './agent-trust.ts';
import { payloadSha256 } from './envelope.ts';
import { fingerprint } from './fingerprint.ts';
import { HubClock, type HubTime } from './hub-clock.ts';
import { ZERO, applicationKey, compareVersions, newest, versionText } from './version.ts';

/** What one Application should be in this cluster, verified. */
export interface HeldAssignment {
  signed: Signed;
  assignment: Assignment;
  payloadSha256: Buffer;
}

/** What an agent wrote down before it was stopped. */
export interface AgentMemory {
  keySet?: Signed;
  registration?: Signed;
  held: readonly Signed[];
  /** Versions of Applications that were uninstalled or orphaned, by `namespace/name`. */
  gone: ReadonlyMap<string, Version>;
  commands: readonly JournalEntry[];
  /** What was to be added to this machine's clock to get the hub's. */
  clockOffsetMs?: number | undefined;
}

export type PersistedChange =
  | { kind: 'assignment'; key: string; held: HeldAssignment }
  | { kind: 'gone'; key: string; version: Version }
  | { kind: 'key-set'; signed: Signed }
  | { kind: 'registration'; signed: Signed }
  | { kind: 'command'; entry: JournalEntry }
  | { kind: 'forget-commands'; ids: string[] }
  | { kind: 'clock'; offsetMs: number };

/** To be carried out in order; what follows a `persist` waits until that is durable. */
export type AgentEffect =
  | { kind: 'persist'; change: PersistedChange }
  | { kind: 'send'; message: NonNullable<SessionRequest['message']> }
  | { kind: 'reconcile'; key: string; held: HeldAssignment }
  | { kind: 'run'; command: Command }
  /** Answer it by a call of its own; one that runs already is not begun again. */
  | { kind: 'ask'; ask: Ask }
  | { kind: 'ask-cancelled'; id: string }
  | { kind: 'refused'; what: string; reason: string }
  | { kind: 'welcomed'; welcome: Welcome }
  /** End this stream and dial again. */
  | { kind: 'reconnect'; reason: string };

export type AgentEvent =
  | { kind: 'connected'; hello: Pick<Hello, 'agentVersion' | 'kubeSystemUid' | 'facts'> }
  | { kind: 'disconnected' }
  | { kind: 'received'; message: SessionResponse['message']; nowMs: number }
  | { kind: 'heartbeat'; facts?: Facts }
  | { kind: 'status'; statuses: readonly ApplicationStatus[] }
  /** A tombstone has been carried out. Ignored when a newer assignment has come meanwhile. */
  | { kind: 'finished'; key: string; version: Version; nowMs: number }
  | { kind: 'command-finished'; id: string; outcome: CommandOutcome; message: string; nowMs: number };

export const PROTOCOL_VERSION = 1;
/** What an agent tells of itself in its hello, for hubs that know older ones. */
export const FEATURES = ['ask', 'query-prometheus', 'run-job'] as const;

/**
 * The agent's side of the link as a deterministic machine: events in, effects out, no I/O, no clock.
 * The order of messages and every failure case: docs/link-protocol.md.
 */
export class AgentLink {
  readonly held = new Map<string, HeldAssignment>();
  private readonly gone: Map<string, Version>;
  private readonly trust: TrustStore;
  private readonly commands: CommandJournal;
  private readonly reports: ReportOutbox;
  private readonly instanceId: string;
  private highestSeen: Version = ZERO;
  private readonly clock: HubClock;
  private connected = false;
  /** Heartbeats since the hello that no welcome has answered; undefined once welcomed. */
  private unwelcomed: number | undefined;

  /** @param everything complete statuses of all that is held, for report snapshots. */
  constructor(
    hub: PinnedHub,
    memory: AgentMemory,
    instanceId: string,
    nowMs: number,
    everything: () => ApplicationStatus[],
  ) {
    this.instanceId = instanceId;
    this.trust = new TrustStore(hub, memory.keySet, memory.registration);
    this.commands = new CommandJournal(memory.commands, nowMs);
    this.reports = new ReportOutbox(instanceId, everything);
    this.gone = new Map(memory.gone);
    this.clock = new HubClock(memory.clockOffsetMs);
    for (const signed of memory.held) {
      const assignment = this.trust.parseStored(signed);
      const key = applicationKey(assignment);
      this.held.set(key, { signed, assignment, payloadSha256: payloadSha256(signed) });
      this.highestSeen = newest(this.highestSeen, versionOf(assignment));
    }
    for (const version of this.gone.values()) this.highestSeen = newest(this.highestSeen, version);
  }

  /** The highest (epoch, generation) ever verified here. */
  get highest(): Version {
    return this.highestSeen;
  }

  /** Milliseconds to add to this machine's clock to get the hub's; undefined before the first session ever. */
  get clockOffsetMs(): number | undefined {
    return this.clock.offsetMs;
  }

  /** The hub's time when this machine's clock says `nowMs`. */
  hubTime(nowMs: number): HubTime {
    return this.clock.read(nowMs);
  }

  get registration(): Signed | undefined {
    return this.trust.registration;
  }

  get reportsDrained(): boolean {
    return this.reports.drained;
  }

  handle(event: AgentEvent): AgentEffect[] {
    switch (event.kind) {
      case 'connected':
        this.connected = true;
        this.unwelcomed = 0;
        return [send('hello', this.hello(event.hello))];
      case 'disconnected':
        this.connected = false;
        this.reports.closed();
        return [];
      case 'received':
        return this.receive(event.message, event.nowMs);
      case 'heartbeat':
        return this.connected ? this.beat(event.facts) : [];
      case 'status':
        return this.reports.add(event.statuses.filter((s) => this.held.has(applicationKey(s)))).map(asReport);
      case 'finished':
        return this.finishTombstone(event.key, event.version, event.nowMs);
      case 'command-finished':
        return this.finishCommand(event.id, event.outcome, event.message, event.nowMs);
    }
  }

  private hello(given: Pick<Hello, 'agentVersion' | 'kubeSystemUid' | 'facts'>): Hello {
    return {
      ...given,
      protocolVersion: PROTOCOL_VERSION,
      instanceId: this.instanceId,
      fingerprint: this.fingerprint(),
      highest: this.highestSeen,
      keySetVersion: this.trust.keySetVersion,
      registration: this.trust.registration,
      features: [...FEATURES],
    };
  }

  private beat(facts: Facts | undefined): AgentEffect[] {
    if (this.unwelcomed !== undefined) {
      if (++this.unwelcomed < 3) return [];
      return [{ kind: 'reconnect', reason: 'the hub did not answer the hello' }];
    }
    return [
      send('heartbeat', {
        fingerprint: this.fingerprint(),
        highest: this.highestSeen,
        facts,
        clockOffsetMs:
          this.clock.offsetMs === undefined ? undefined : BigInt(Math.round(this.clock.offsetMs)),
      }),
      ...this.commands.unacknowledged().map((r) => send('commandResult', r)),
      ...this.reports.beat().map(asReport),
    ];
  }

  private fingerprint(): Buffer {
    return fingerprint([...this.held.values()].map(asHeldLine));
  }

  private receive(message: SessionResponse['message'], nowMs: number): AgentEffect[] {
    switch (message?.$case) {
      case 'welcome':
        return this.welcomed(message.value, nowMs);
      case 'heartbeatAck':
        return [...this.learnClock(message.value.hubTimeMs, nowMs), ...this.forgetCommands(nowMs)];
      case 'inventoryRequest':
        return [send('inventory', this.inventory())];
      case 'assignment':
        return this.assigned(message.value);
      case 'command':
        return this.commanded(message.value, nowMs);
      case 'ask':
        return this.asked(message.value, nowMs);
      case 'askCancel':
        return [{ kind: 'ask-cancelled', id: message.value.askId }];
      case 'commandResultAck': {
        const entry = this.commands.acknowledged(message.value.commandId);
        return entry ? [{ kind: 'persist', change: { kind: 'command', entry } }] : [];
      }
      case 'reportAck':
        return this.reports.acknowledged(message.value).map(asReport);
      case 'keySet':
        return this.keySetOffered(message.value);
      case 'registration': {
        const refused = this.trust.acceptRegistration(message.value);
        if (refused) return [{ kind: 'refused', what: 'registration', reason: refused }];
        return [{ kind: 'persist', change: { kind: 'registration', signed: message.value } }];
      }
      case undefined:
        return []; // a message of a newer hub
    }
  }

  private welcomed(welcome: Welcome, nowMs: number): AgentEffect[] {
    this.unwelcomed = undefined;
    return [
      ...this.learnClock(welcome.hubTimeMs, nowMs, (welcome.leaseSeconds || 30) * 1_000),
      { kind: 'welcomed', welcome },
      ...this.commands.unacknowledged().map((r) => send('commandResult', r)),
      ...this.reports.opened(welcome.lastReport).map(asReport),
    ];
  }

  private learnClock(hubTimeMs: bigint, nowMs: number, leaseMs?: number): AgentEffect[] {
    const offsetMs = this.clock.learn(Number(hubTimeMs), nowMs, leaseMs);
    return offsetMs === undefined ? [] : [{ kind: 'persist', change: { kind: 'clock', offsetMs } }];
  }

  private inventory(): Inventory {
    return { held: [...this.held.values()].map(asHeldLine) };
  }

  private assigned(signed: Signed): AgentEffect[] {
    const sha = payloadSha256(signed);
    const verdict = this.trust.verifyAssignment(signed);
    if ('refused' in verdict) return this.refuseAssignment(sha, verdict.refused, verdict.assignment);
    const { assignment } = verdict;
    const key = applicationKey(assignment);
    const version = versionOf(assignment);
    const now = this.held.get(key);
    if (now && Buffer.compare(now.payloadSha256, sha) === 0) return [acknowledge(assignment, sha)];
    const known = now ? versionOf(now.assignment) : this.gone.get(key);
    if (known && compareVersions(version, known) === 0 && !now)
      return [acknowledge(assignment, sha), ...this.repeatGone(assignment)];
    if (known && compareVersions(version, known) <= 0) {
      const reason = `version ${versionText(version)} is not newer than ${versionText(known)}, which this agent holds`;
      return this.refuseAssignment(sha, reason, assignment);
    }
    const held: HeldAssignment = { signed, assignment, payloadSha256: sha };
    this.held.set(key, held);
    this.highestSeen = newest(this.highestSeen, version);
    return [
      { kind: 'persist', change: { kind: 'assignment', key, held } },
      acknowledge(assignment, sha),
      { kind: 'reconcile', key, held },
    ];
  }

  /** The tombstone that we carried out is offered again: the hub did not hear that it is finished. */
  private repeatGone(assignment: Assignment): AgentEffect[] {
    if (assignment.action === Action.APPLY) return [];
    return this.reports.addGone(asGone(assignment, 0)).map(asReport);
  }

  private refuseAssignment(sha: Buffer, reason: string, assignment?: Assignment): AgentEffect[] {
    return [
      {
        kind: 'refused',
        what: assignment ? `assignment of ${applicationKey(assignment)}` : 'assignment',
        reason,
      },
      send('assignmentAck', {
        applicationNamespace: assignment?.applicationNamespace ?? '',
        applicationName: assignment?.applicationName ?? '',
        version: assignment?.version,
        refused: reason,
        payloadSha256: sha,
      }),
    ];
  }

  private finishTombstone(key: string, version: Version, nowMs: number): AgentEffect[] {
    const held = this.held.get(key);
    if (!held || held.assignment.action === Action.APPLY) return [];
    if (compareVersions(versionOf(held.assignment), version) !== 0) return [];
    this.held.delete(key);
    this.gone.set(key, version);
    return [
      { kind: 'persist', change: { kind: 'gone', key, version } },
      ...this.reports.addGone(asGone(held.assignment, nowMs)).map(asReport),
    ];
  }

  private commanded(signed: Signed, nowMs: number): AgentEffect[] {
    const verdict = this.trust.verifyCommand(signed, this.highestSeen.epoch, this.clock.read(nowMs).nowMs);
    if ('refused' in verdict) {
      const known = verdict.command && this.commands.get(verdict.command.id)?.result;
      if (known) return [send('commandResult', known)];
      return [
        { kind: 'refused', what: 'command', reason: verdict.refused },
        send('commandResult', {
          commandId: verdict.command?.id ?? '',
          outcome: verdict.expired ? CommandOutcome.EXPIRED : CommandOutcome.REFUSED,
          message: verdict.refused,
          finishedAtMs: BigInt(nowMs),
          payloadSha256: payloadSha256(signed),
        }),
      ];
    }
    const { command } = verdict;
    const admission = this.commands.admit(command);
    switch (admission.kind) {
      case 'answered':
        return [send('commandResult', admission.result)];
      case 'running':
        return [];
      case 'run': {
        const entry = this.commands.get(command.id)!;
        return [
          { kind: 'persist', change: { kind: 'command', entry: { ...entry } } },
          { kind: 'run', command },
        ];
      }
    }
  }

  /** Nothing changes by an ask, so it is neither journalled nor answered twice by us: who asks twice reads twice. */
  private asked(signed: Signed, nowMs: number): AgentEffect[] {
    const verdict = this.trust.verifyAsk(signed, this.highestSeen.epoch, this.clock.read(nowMs).nowMs);
    if ('ask' in verdict) return [{ kind: 'ask', ask: verdict.ask }];
    return [
      { kind: 'refused', what: 'ask', reason: verdict.refused },
      send('askRefused', { payloadSha256: payloadSha256(signed), reason: verdict.refused }),
    ];
  }

  private finishCommand(id: string, outcome: CommandOutcome, message: string, nowMs: number): AgentEffect[] {
    const result = {
      commandId: id,
      outcome,
      message,
      finishedAtMs: BigInt(nowMs),
      payloadSha256: Buffer.alloc(0),
    };
    const entry = this.commands.finish(result);
    if (!entry) return [];
    const effects: AgentEffect[] = [{ kind: 'persist', change: { kind: 'command', entry: { ...entry } } }];
    if (this.connected) effects.push(send('commandResult', result));
    return effects;
  }

  private forgetCommands(nowMs: number): AgentEffect[] {
    const ids = this.commands.expire(this.clock.read(nowMs).nowMs);
    return ids.length === 0 ? [] : [{ kind: 'persist', change: { kind: 'forget-commands', ids } }];
  }

  private keySetOffered(signed: Signed): AgentEffect[] {
    const verdict = this.trust.acceptKeySet(signed);
    const ack = send('keySetAck', { version: verdict.version, refused: verdict.refused ?? '' });
    if (verdict.refused) return [{ kind: 'refused', what: 'key set', reason: verdict.refused }, ack];
    if (!verdict.changed) return [ack];
    return [{ kind: 'persist', change: { kind: 'key-set', signed } }, ack];
  }
}
