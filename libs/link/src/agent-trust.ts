import { MusterError } from '@muster/base';
import { Action, Ask, Assignment, Command, KeySet, KeyUse, Registration } from '@muster/proto/records';
import type { Signed } from '@muster/proto/records';
import { ROOT_KEY_ID, verifyRecord } from './envelope.ts';
import type { Domain } from './envelope.ts';

/** What an agent pinned when it enrolled. */
export interface PinnedHub {
  hubId: string;
  clusterId: string;
  /** Raw 32 bytes, Ed25519. */
  rootPublicKey: Uint8Array;
}

export type AssignmentVerdict = { assignment: Assignment } | { refused: string; assignment?: Assignment };
export type AskVerdict = { ask: Ask } | { refused: string };
export type CommandVerdict = { command: Command } | { refused: string; command?: Command; expired?: boolean };

/** Decides what a hub may tell this agent. Verifies before it parses; answers with reasons in words. */
export class TrustStore {
  private readonly hub: PinnedHub;
  private keys: KeySet | undefined;
  private registered: Signed | undefined;

  /** @throws MusterError when the stored key set does not verify: the store was tampered with. */
  constructor(hub: PinnedHub, keySet?: Signed, registration?: Signed) {
    this.hub = hub;
    this.registered = registration;
    if (keySet) {
      const verdict = this.acceptKeySet(keySet);
      if (verdict.refused)
        throw new MusterError('forbidden', `the stored key set is refused: ${verdict.refused}`);
    }
  }

  get keySetVersion(): bigint {
    return this.keys?.version ?? 0n;
  }

  get registration(): Signed | undefined {
    return this.registered;
  }

  acceptKeySet(signed: Signed): { version: bigint; changed?: boolean; refused?: string } {
    if (signed.keyId !== ROOT_KEY_ID)
      return { version: 0n, refused: 'a key set is signed by the root key only' };
    const bad = problem(() => verifyRecord('muster.keyset.v1', signed, this.hub.rootPublicKey));
    if (bad) return { version: 0n, refused: bad };
    const offered = KeySet.decode(signed.payload);
    if (offered.hubId !== this.hub.hubId)
      return { version: offered.version, refused: 'this key set is of another hub' };
    if (offered.version < this.keySetVersion) {
      return {
        version: offered.version,
        refused: `key set ${offered.version} is older than ${this.keySetVersion}`,
      };
    }
    if (offered.version === this.keySetVersion) return { version: offered.version, changed: false };
    this.keys = offered;
    return { version: offered.version, changed: true };
  }

  /** Returns why it is refused, or undefined when it is kept. */
  acceptRegistration(signed: Signed): string | undefined {
    const refused = this.verify('muster.registration.v1', signed, KeyUse.ASSIGNMENT);
    if (refused) return refused;
    const offered = Registration.decode(signed.payload);
    if (offered.hubId !== this.hub.hubId || offered.clusterId !== this.hub.clusterId) {
      return `this registration is for another cluster (${offered.name})`;
    }
    if (this.registered && Registration.decode(this.registered.payload).revision > offered.revision) {
      return `registration ${offered.revision} is older than the one held`;
    }
    this.registered = signed;
    return undefined;
  }

  verifyAssignment(signed: Signed): AssignmentVerdict {
    const refused = this.verify('muster.assignment.v1', signed, KeyUse.ASSIGNMENT);
    if (refused) return { refused };
    let assignment: Assignment;
    try {
      assignment = Assignment.decode(signed.payload);
    } catch (e) {
      return { refused: `the assignment cannot be read: ${MusterError.from(e).message}` };
    }
    if (assignment.hubId !== this.hub.hubId)
      return { refused: 'this assignment is of another hub', assignment };
    if (assignment.clusterId !== this.hub.clusterId) {
      return {
        refused: `this assignment is for cluster ${assignment.clusterId}, not for this one`,
        assignment,
      };
    }
    const wrong = malformed(assignment);
    return wrong ? { refused: wrong, assignment } : { assignment };
  }

  /** @param hubNowMs this machine's clock corrected by the hub's offset. */
  verifyCommand(signed: Signed, epoch: bigint, hubNowMs: number): CommandVerdict {
    const refused = this.verify('muster.command.v1', signed, KeyUse.COMMAND);
    if (refused) return { refused };
    let command: Command;
    try {
      command = Command.decode(signed.payload);
    } catch (e) {
      return { refused: `the command cannot be read: ${MusterError.from(e).message}` };
    }
    if (command.hubId !== this.hub.hubId) return { refused: 'this command is of another hub', command };
    if (command.clusterId !== this.hub.clusterId)
      return { refused: 'this command is for another cluster', command };
    if (command.epoch < epoch)
      return { refused: `this command is of epoch ${command.epoch}; this agent is at ${epoch}`, command };
    if (!command.verb)
      return { refused: 'this agent does not know this command: it may be older than the hub', command };
    if (Number(command.expiresAtMs) <= hubNowMs) {
      return { refused: 'this command came after its expiry', command, expired: true };
    }
    return { command };
  }

  /** @param hubNowMs this machine's clock corrected by the hub's offset. */
  verifyAsk(signed: Signed, epoch: bigint, hubNowMs: number): AskVerdict {
    const refused = this.verify('muster.ask.v1', signed, KeyUse.COMMAND);
    if (refused) return { refused };
    let ask: Ask;
    try {
      ask = Ask.decode(signed.payload);
    } catch (e) {
      return { refused: `the ask cannot be read: ${MusterError.from(e).message}` };
    }
    if (ask.hubId !== this.hub.hubId) return { refused: 'this ask is of another hub' };
    if (ask.clusterId !== this.hub.clusterId) return { refused: 'this ask is for another cluster' };
    if (ask.epoch < epoch) return { refused: `this ask is of epoch ${ask.epoch}; this agent is at ${epoch}` };
    if (!ask.query) return { refused: 'this agent cannot answer this: it may be older than the hub' };
    if (Number(ask.expiresAtMs) <= hubNowMs) return { refused: 'this ask came after its expiry' };
    return { ask };
  }

  /** Parses what this agent itself verified and stored earlier. */
  parseStored(signed: Signed): Assignment {
    return Assignment.decode(signed.payload);
  }

  private verify(
    domain: Exclude<Domain, 'muster.keyset.v1'>,
    signed: Signed,
    use: KeyUse,
  ): string | undefined {
    const key = this.keys?.keys.find((k) => k.id === signed.keyId && k.use === use);
    if (!key) {
      return `key ${signed.keyId.slice(0, 64) || '(none)'} is not in key set ${this.keySetVersion} for this use`;
    }
    return problem(() => verifyRecord(domain, signed, key.publicKey));
  }
}

function malformed(assignment: Assignment): string | undefined {
  if (!assignment.version || assignment.version.generation <= 0n) return 'the assignment has no version';
  if (!assignment.applicationName || !assignment.applicationNamespace)
    return 'the assignment names no Application';
  switch (assignment.action) {
    case Action.APPLY:
      return /^[0-9a-f]{64}$/.test(assignment.bundleDigest) ? undefined : 'the assignment names no bundle';
    case Action.ORPHAN:
    case Action.UNINSTALL:
      return undefined;
    default:
      return 'this agent does not know this action: it may be older than the hub';
  }
}

function problem(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (e) {
    return MusterError.from(e).message;
  }
}
