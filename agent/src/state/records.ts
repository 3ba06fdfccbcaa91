import { MusterError, sha256 } from '@muster/base';
import type { TaskProgress } from '@muster/kube';
import type { AgentMemory, JournalEntry, PersistedChange } from '@muster/link';
import { CommandResult } from '@muster/proto';
import { Signed, type Version } from '@muster/proto/records';
import { decompress } from './compression.ts';
import type { Store } from './store.ts';

/** Who the agent is for the hub. Holds the private key: it leaves the store for the TLS layer only. */
export interface IdentityRecord {
  /** PKCS#8, PEM. */
  privateKey: string;
  /** The hub's CA, PEM; the only one the agent trusts. */
  ca: string;
  enrollmentId?: string;
  /** Set once the hub has accepted the agent. */
  accepted?: AcceptedIdentity;
}

export interface AcceptedIdentity {
  hubId: string;
  clusterId: string;
  clusterName: string;
  /** PEM, leaf first. */
  certificates: string[];
  /** Base64 of the raw key. */
  rootPublicKey: string;
  kubeSystemUid: string;
}

/** One object of the last apply, as the inventory keeps it. */
export interface InventoryEntry {
  /** `group/Kind/namespace/name`. */
  key: string;
  version: string;
  uid: string;
  /** Hash of what was applied. */
  applied: string;
  /** Hash of what the API server made of it, without status and bookkeeping. */
  live: string;
}

/** What was applied of an Application. Objects that leave the bundle stay listed until they are pruned. */
export interface AppliedRecord {
  /** The bundle that was last applied completely; '' before the first time. */
  digest: string;
  /** `epoch.generation` of it. */
  version: string;
  atMs: number;
  /** Whether a sync command applied it, so that it is not due again. */
  assignment: string;
  inventory: InventoryEntry[];
  /** `group/Kind` of hooks that were made, so that a removal finds them. */
  hookKinds?: string[];
  running?: OperationRecord;
  /** Objects that a guard keeps until someone confirms, and those that someone has confirmed, by key. */
  held?: Record<string, HeldObject>;
  confirmed?: Record<string, string>;
  last?: LastAssignment;
  removal?: RemovalRecord;
  suppressed?: string;
}

/** What a tombstone does not say of the Application that it removes. */
export interface LastAssignment {
  destinationNamespace: string;
  impersonate: string;
  /** syncOptions. */
  options: string[];
}

/** How far the removal of an Application is, so that another process goes on with it. */
export interface RemovalRecord {
  stage: 'PreDelete' | 'objects' | 'PostDelete';
  /** The hooks of the stage. */
  operation: OperationRecord;
  /** Somebody terminated it: it goes on when somebody confirms. */
  stopped?: true;
  /** Somebody let it go on without its PreDelete hooks. */
  withoutHooks?: true;
  /** Why the hooks of the stage failed the last time, in words to show. */
  failure?: string;
}

/** An object whose removal waits for a confirmation. */
export interface HeldObject {
  uid: string;
  /** In words to show. */
  reason: string;
  sinceMs: number;
}

/** An operation under way: enough to go on with it, so that no hook of it is run twice. */
export interface OperationRecord {
  id: string;
  /** SHA-256 of the assignment that it applies, in hex. */
  payload: string;
  startedAtMs: number;
  commandId: string;
  prune: boolean;
  /** Asked for by its command: only these resources, as selectors; Replace and Force on all. */
  resources?: string[];
  replace?: boolean;
  force?: boolean;
  /** Progress of its hooks, by `taskId`. */
  hooks: Record<string, TaskProgress>;
}

const IDENTITY = 'identity';
const KEY_SET = 'key-set';
const REGISTRATION = 'registration';
const GONE = 'gone';
const CLOCK = 'clock';
const ASSIGNMENT = 'assignment.';
const APPLIED = 'applied.';
const COMMAND = 'command.';
const BUNDLE = 'bundle.';
const MAX_BUNDLE = 256 * 1024 * 1024;

/** What the agent writes down, in its own words; the store only knows names and bytes. */
export class Records {
  private readonly store: Store;
  private gone = new Map<string, Version>();

  constructor(store: Store) {
    this.store = store;
  }

  async identity(): Promise<IdentityRecord | undefined> {
    return this.readJson<IdentityRecord>(IDENTITY);
  }

  async saveIdentity(identity: IdentityRecord): Promise<void> {
    await this.writeJson(IDENTITY, identity);
  }

  /** Trust comes first, as the assignments verify against it. */
  async saveTrust(keySet: Signed, registration: Signed | undefined): Promise<void> {
    await this.writeSigned(KEY_SET, keySet);
    if (registration) await this.writeSigned(REGISTRATION, registration);
  }

  /** Everything that the link needs after a start. */
  async memory(): Promise<AgentMemory> {
    const held = await this.readAll(ASSIGNMENT, (bytes) => Signed.decode(bytes));
    const commands = await this.readAll(COMMAND, parseCommand);
    const gone = (await this.readJson<Record<string, [string, string]>>(GONE)) ?? {};
    this.gone = new Map(
      Object.entries(gone).map(([key, [epoch, generation]]) => [
        key,
        { epoch: BigInt(epoch), generation: BigInt(generation) },
      ]),
    );
    const keySet = await this.readSigned(KEY_SET);
    const registration = await this.readSigned(REGISTRATION);
    const clock = await this.readJson<{ offsetMs: number }>(CLOCK);
    const clockOffsetMs = clock?.offsetMs;
    return { keySet, registration, held, gone: new Map(this.gone), commands, clockOffsetMs };
  }

  async persist(change: PersistedChange): Promise<void> {
    switch (change.kind) {
      case 'assignment':
        return this.writeSigned(ASSIGNMENT + named(change.key), change.held.signed);
      case 'gone': {
        this.gone.set(change.key, change.version);
        const entries = [...this.gone].map(([key, v]) => [key, [String(v.epoch), String(v.generation)]]);
        await this.writeJson(GONE, Object.fromEntries(entries));
        await this.store.remove(ASSIGNMENT + named(change.key));
        return this.store.remove(APPLIED + named(change.key));
      }
      case 'key-set':
        return this.writeSigned(KEY_SET, change.signed);
      case 'registration':
        return this.writeSigned(REGISTRATION, change.signed);
      case 'command':
        return this.writeJson(COMMAND + named(change.entry.id), writtenCommand(change.entry));
      case 'clock':
        return this.writeJson(CLOCK, { offsetMs: change.offsetMs });
      case 'forget-commands':
        for (const id of change.ids) await this.store.remove(COMMAND + named(id));
    }
  }

  async applied(key: string): Promise<AppliedRecord | undefined> {
    return this.readJson<AppliedRecord>(APPLIED + named(key));
  }

  async saveApplied(key: string, record: AppliedRecord): Promise<void> {
    await this.writeJson(APPLIED + named(key), record);
  }

  /** Canonical plaintext of a bundle, checked against its digest; undefined when it is not here or is damaged. */
  async bundle(digest: string, maxBytes = MAX_BUNDLE): Promise<Buffer | undefined> {
    const stored = await this.store.read(BUNDLE + digest);
    return stored && openBundle(stored, digest, maxBytes).catch(() => undefined);
  }

  /** Keeps a bundle as it was downloaded (Zstandard). The caller has verified it. */
  async saveBundle(digest: string, stored: Buffer): Promise<void> {
    await this.store.write(BUNDLE + digest, stored, { immutable: true });
  }

  /** Removes the bundles that nothing needs any more; asked for each right before it goes. */
  async sweepBundles(needed: (digest: string) => boolean): Promise<void> {
    for (const name of await this.store.list(BUNDLE)) {
      if (!needed(name.slice(BUNDLE.length))) await this.store.remove(name);
    }
  }

  private async readAll<T>(prefix: string, parse: (bytes: Buffer) => T): Promise<T[]> {
    const names = await this.store.list(prefix);
    const values: T[] = [];
    // A few at a time: each is a request to the API server.
    for (let start = 0; start < names.length; start += 8) {
      const some = await Promise.all(names.slice(start, start + 8).map((name) => this.store.read(name)));
      for (const bytes of some) if (bytes) values.push(parse(bytes));
    }
    return values;
  }

  private async readSigned(name: string): Promise<Signed | undefined> {
    const bytes = await this.store.read(name);
    return bytes && Signed.decode(bytes);
  }

  private async writeSigned(name: string, signed: Signed): Promise<void> {
    await this.store.write(name, Signed.encode(signed).finish());
  }

  private async readJson<T>(name: string): Promise<T | undefined> {
    const bytes = await this.store.read(name);
    return bytes && (JSON.parse(bytes.toString('utf8')) as T);
  }

  private async writeJson(name: string, value: unknown): Promise<void> {
    await this.store.write(name, Buffer.from(JSON.stringify(value)));
  }
}

/** Decompresses within bounds and checks the digest of the plaintext. Throws MusterError. */
export async function openBundle(stored: Buffer, digest: string, maxBytes: number): Promise<Buffer> {
  const plain = await decompress(stored, maxBytes);
  if (sha256(plain) !== digest) {
    throw new MusterError('forbidden', 'the bundle does not have the digest that was assigned', {
      where: digest,
    });
  }
  return plain;
}

/** Names of Applications may be longer than a record's. */
function named(key: string): string {
  return sha256(key).slice(0, 40);
}

function writtenCommand(entry: JournalEntry): unknown {
  return { ...entry, result: entry.result && CommandResult.toJSON(entry.result) };
}

function parseCommand(bytes: Buffer): JournalEntry {
  const written = JSON.parse(bytes.toString('utf8')) as JournalEntry & { result?: unknown };
  return { ...written, result: written.result ? CommandResult.fromJSON(written.result) : undefined };
}
