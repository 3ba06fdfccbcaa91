import { generateKeyPairSync } from 'node:crypto';
import type { SessionRequest, SessionResponse } from '@muster/proto';
import {
  Action,
  ApplicationStatus,
  Assignment,
  Command,
  CommandOutcome,
  KeySet,
  KeyUse,
} from '@muster/proto/records';
import type { Signed, Version } from '@muster/proto/records';
import { AgentLink, HubSession, applicationKey, payloadSha256, rawPublicKey, signRecord } from './index.ts';
import type {
  AgentEffect,
  AgentMemory,
  DesiredAssignment,
  HubEffect,
  JournalEntry,
  OfferedCommand,
} from './index.ts';

export const root = generateKeyPairSync('ed25519').privateKey;
export const signer = generateKeyPairSync('ed25519').privateKey;
const pinned = { hubId: 'hub', clusterId: 'c1', rootPublicKey: rawPublicKey(root) };
const keySet = signRecord(
  'muster.keyset.v1',
  KeySet.encode({
    hubId: 'hub',
    version: 1n,
    keys: [
      { id: 'a', use: KeyUse.ASSIGNMENT, publicKey: rawPublicKey(signer) },
      { id: 'c', use: KeyUse.COMMAND, publicKey: rawPublicKey(signer) },
    ],
  }).finish(),
  root,
  'root',
);

/** The database, as far as the link is concerned. */
class Hub {
  generation = 0n;
  desired = new Map<string, DesiredAssignment>();
  commands = new Map<string, { signed: Signed; outcome?: CommandOutcome }>();
  cursor = { instance: '', sequence: 0n };
  statuses = new Map<string, ApplicationStatus>();
  session: HubSession | undefined;

  assign(name: string, action: Action): DesiredAssignment {
    const version = { epoch: 1n, generation: ++this.generation };
    const assignment = Assignment.fromPartial({
      hubId: 'hub',
      clusterId: 'c1',
      version,
      applicationNamespace: 'argocd',
      applicationName: name,
      action,
      bundleDigest: action === Action.APPLY ? 'ab'.repeat(32) : '',
    });
    const signed = signRecord('muster.assignment.v1', Assignment.encode(assignment).finish(), signer, 'a');
    const row = {
      signed,
      version,
      action,
      applicationNamespace: 'argocd',
      applicationName: name,
      payloadSha256: payloadSha256(signed),
    };
    this.desired.set(applicationKey(row), row);
    return row;
  }

  issue(id: string): Signed {
    const command = Command.fromPartial({
      hubId: 'hub',
      clusterId: 'c1',
      id,
      epoch: 1n,
      expiresAtMs: 1_000_000n,
      verb: { $case: 'refresh', value: {} },
    });
    const signed = signRecord('muster.command.v1', Command.encode(command).finish(), signer, 'c');
    this.commands.set(id, { signed });
    return signed;
  }

  openCommands(): OfferedCommand[] {
    const open = [...this.commands].filter(([, c]) => c.outcome === undefined);
    return open.map(([id, { signed }]) => ({ ...signed, id }));
  }

  storeReport(report: Extract<NonNullable<SessionRequest['message']>, { $case: 'report' }>['value']) {
    const last = this.cursor.instance === report.instanceId ? this.cursor.sequence : 0n;
    if (report.sequence > last && (report.snapshot || report.sequence === last + 1n)) {
      this.cursor = { instance: report.instanceId, sequence: report.sequence };
      const named = new Set(report.applications.map(applicationKey));
      if (report.snapshot) {
        this.statuses.clear();
        for (const [key, row] of this.desired)
          if (row.action !== Action.APPLY && this.acked.has(key) && !named.has(key)) this.desired.delete(key);
      }
      for (const a of report.applications) this.statuses.set(applicationKey(a), a);
      for (const g of report.gone) {
        this.statuses.delete(applicationKey(g));
        if (this.desired.get(applicationKey(g))?.version.generation === g.version?.generation)
          this.desired.delete(applicationKey(g));
      }
    }
    const now = this.cursor.instance === report.instanceId ? this.cursor.sequence : 0n;
    return { sequence: now, gap: report.sequence > now };
  }
  acked = new Map<string, bigint>();
}

/** The agent's disk and its running process. */
class Agent {
  memory = {
    held: new Map<string, Signed>(),
    gone: new Map<string, Version>(),
    commands: new Map<string, JournalEntry>(),
  };
  runs = new Map<string, number>();
  running: string[] = [];
  latest = new Map<string, ApplicationStatus>();
  starts = 0;
  link!: AgentLink;
  constructor() {
    this.start();
  }
  start() {
    const memory: AgentMemory = {
      keySet,
      held: [...this.memory.held.values()],
      gone: this.memory.gone,
      commands: [...this.memory.commands.values()].map((c) => ({ ...c })),
    };
    this.running = [];
    this.link = new AgentLink(pinned, memory, `i${++this.starts}`, 0, () =>
      [...this.link.held.keys()].map((k) => this.status(k)),
    );
  }
  status(key: string): ApplicationStatus {
    const known = this.latest.get(key);
    if (known) return known;
    const [applicationNamespace, applicationName] = key.split('/') as [string, string];
    return ApplicationStatus.fromPartial({
      applicationNamespace,
      applicationName,
      resourcesComplete: true,
      sync: 'Unknown',
    });
  }
}

/** Two sides and the wire between them; the wire may lose, repeat and be cut. */
export class World {
  hub = new Hub();
  agent = new Agent();
  up: NonNullable<SessionRequest['message']>[] = [];
  down: NonNullable<SessionResponse['message']>[] = [];
  connected = false;
  counter = 0;

  agentDoes(effects: AgentEffect[]) {
    for (const e of effects) {
      if (e.kind === 'send') this.up.push(e.message);
      if (e.kind === 'run') {
        this.agent.runs.set(e.command.id, (this.agent.runs.get(e.command.id) ?? 0) + 1);
        this.agent.running.push(e.command.id);
      }
      if (e.kind === 'reconnect') {
        this.cut();
        return this.connect();
      }
      if (e.kind === 'refused') throw new Error(`refused ${e.what}: ${e.reason}`);
      if (e.kind !== 'persist') continue;
      const c = e.change;
      if (c.kind === 'assignment') this.agent.memory.held.set(c.key, c.held.signed);
      if (c.kind === 'gone') {
        this.agent.memory.held.delete(c.key);
        this.agent.memory.gone.set(c.key, c.version);
        this.agent.latest.delete(c.key);
      }
      if (c.kind === 'command') this.agent.memory.commands.set(c.entry.id, { ...c.entry });
      if (c.kind === 'forget-commands') for (const id of c.ids) this.agent.memory.commands.delete(id);
    }
  }

  hubDoes(effects: HubEffect[]) {
    const { hub } = this;
    const session = hub.session!;
    for (const e of effects) {
      if (e.kind === 'send') this.down.push(e.message);
      if (e.kind === 'acknowledged')
        for (const l of e.lines) hub.acked.set(applicationKey(l), l.version.generation);
      if (e.kind === 'load-desired')
        this.hubDoes(session.handle({ kind: 'desired', for: e.for, lines: [...hub.desired.values()] }));
      if (e.kind === 'load-assignments')
        this.hubDoes(
          session.handle({ kind: 'assignments', rows: e.keys.flatMap((k) => hub.desired.get(k) ?? []) }),
        );
      if (e.kind === 'store-report')
        this.hubDoes(
          session.handle({
            kind: 'report-stored',
            instanceId: e.report.instanceId,
            ...hub.storeReport(e.report),
          }),
        );
      if (e.kind === 'store-command-result') {
        const command = hub.commands.get(e.result.commandId)!;
        command.outcome ??= e.result.outcome;
        this.hubDoes(session.handle({ kind: 'command-result-stored', commandId: e.result.commandId }));
      }
    }
  }

  /** Commits an assignment and tells the open session, as the hub's notification does. */
  assign(name: string, action: Action): DesiredAssignment {
    const row = this.hub.assign(name, action);
    if (this.hub.session) this.hubDoes(this.hub.session.handle({ kind: 'assignments', rows: [row] }));
    return row;
  }

  cut() {
    if (this.connected) this.agentDoes(this.agent.link.handle({ kind: 'disconnected' }));
    this.connected = false;
    this.up = [];
    this.down = [];
    this.hub.session = undefined;
  }

  connect() {
    if (this.connected) return;
    this.connected = true;
    this.agentDoes(
      this.agent.link.handle({
        kind: 'connected',
        hello: { agentVersion: '1', kubeSystemUid: 'u', facts: undefined },
      }),
    );
  }

  deliverUp(keep = false) {
    const message = keep ? this.up[0] : this.up.shift();
    if (!message) return;
    if (message.$case === 'hello') {
      if (this.hub.session) return;
      this.hub.session = new HubSession();
      const { hub } = this;
      const lastReport = hub.cursor.instance === message.value.instanceId ? hub.cursor.sequence : 0n;
      this.hubDoes(
        hub.session!.open(message.value, {
          sessionId: 's',
          hubId: 'hub',
          nowMs: 0,
          leaseSeconds: 30,
          lastReport,
          desired: [...hub.desired.values()],
          keySet,
          keySetVersion: 1n,
          commands: hub.openCommands(),
        }),
      );
    } else if (this.hub.session)
      this.hubDoes(this.hub.session.handle({ kind: 'received', message, nowMs: 0 }));
  }

  deliverDown(keep = false) {
    const message = keep ? this.down[0] : this.down.shift();
    if (message) this.agentDoes(this.agent.link.handle({ kind: 'received', message, nowMs: 0 }));
  }

  finishWork() {
    for (const id of this.agent.running.splice(0)) {
      this.agentDoes(
        this.agent.link.handle({
          kind: 'command-finished',
          id,
          outcome: CommandOutcome.SUCCEEDED,
          message: '',
          nowMs: 1,
        }),
      );
    }
    for (const [key, held] of this.agent.link.held) {
      if (held.assignment.action !== Action.APPLY) {
        this.agentDoes(
          this.agent.link.handle({ kind: 'finished', key, version: held.assignment.version!, nowMs: 1 }),
        );
      }
    }
  }

  report(name: string) {
    const key = `argocd/${name}`;
    if (!this.agent.link.held.has(key)) return;
    const status = { ...this.agent.status(key), sync: 'Synced', healthMessage: `${++this.counter}` };
    this.agent.latest.set(key, status);
    this.agentDoes(this.agent.link.handle({ kind: 'status', statuses: [status] }));
  }

  /** A wire that works: everything must settle within a few heartbeats. */
  settle() {
    this.connect();
    for (let i = 0; i < 16; i++) {
      while (this.up.length + this.down.length > 0) {
        this.deliverUp();
        this.deliverDown();
      }
      this.finishWork();
      this.agentDoes(this.agent.link.handle({ kind: 'heartbeat' }));
    }
  }
}
