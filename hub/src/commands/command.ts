import { ActCommand, Command, CommandOutcome, RunJobCommand, SyncCommand } from '@muster/proto';

/** What can be asked of a cluster. */
export type CommandVerb =
  | {
      kind: 'sync';
      prune?: boolean;
      dryRun?: boolean;
      bundleDigest?: string;
      /** Selectors such as `apps:Deployment:web`; none: everything. */
      resources?: string[];
      replace?: boolean;
      force?: boolean;
    }
  | { kind: 'refresh' }
  | { kind: 'terminate' }
  /** Selectors; none: all that is held. */
  | { kind: 'confirm'; resources: string[] }
  | { kind: 'diff' }
  | {
      kind: 'act';
      object: { group: string; kind: string; namespace: string; name: string; uid?: string };
      action: string;
      parameters?: Record<string, string>;
    }
  /** `resume`: the command that began it. */
  | { kind: 'run-job'; manifest: string; deadlineSeconds: number; resume?: string };

export interface CommandRequest {
  clusterId: string;
  /** Absent: the whole cluster. */
  application?: { namespace: string; name: string };
  verb: CommandVerb;
  /** Who, as shown to people and written into the signed record. */
  actor: string;
  reason?: string;
  /** Seconds; default 600, at most a day. */
  ttlSeconds?: number;
}

export type Outcome = 'succeeded' | 'failed' | 'refused' | 'unknown' | 'expired';

export const DEFAULT_TTL_SECONDS = 600;
export const MAX_TTL_SECONDS = 86_400;
/** Longest message of a result that is kept: a diff is JSON and may be long. */
export const MAX_RESULT_BYTES = 1024 * 1024;

const OUTCOMES: Record<CommandOutcome, Outcome> = {
  [CommandOutcome.UNSPECIFIED]: 'unknown',
  [CommandOutcome.SUCCEEDED]: 'succeeded',
  [CommandOutcome.FAILED]: 'failed',
  [CommandOutcome.REFUSED]: 'refused',
  [CommandOutcome.UNKNOWN]: 'unknown',
  [CommandOutcome.EXPIRED]: 'expired',
};

/** A word of ours for the agent's answer; what we do not know is unknown. */
export function outcomeOf(outcome: CommandOutcome): Outcome {
  return OUTCOMES[outcome] ?? 'unknown';
}

/** The bytes to sign. */
export function encodeCommand(
  request: CommandRequest,
  stamp: { hubId: string; id: string; epoch: bigint; issuedAtMs: number; expiresAtMs: number },
): Uint8Array {
  return Command.encode({
    hubId: stamp.hubId,
    clusterId: request.clusterId,
    id: stamp.id,
    epoch: stamp.epoch,
    actor: request.actor,
    issuedAtMs: BigInt(stamp.issuedAtMs),
    expiresAtMs: BigInt(stamp.expiresAtMs),
    applicationNamespace: request.application?.namespace ?? '',
    applicationName: request.application?.name ?? '',
    verb: wireVerb(request.verb),
  }).finish();
}

function wireVerb(verb: CommandVerb): NonNullable<Command['verb']> {
  switch (verb.kind) {
    case 'sync': {
      const { kind: _kind, ...asked } = verb;
      return { $case: 'sync', value: SyncCommand.fromPartial(asked) };
    }
    case 'refresh':
      return { $case: 'refresh', value: {} };
    case 'terminate':
      return { $case: 'terminate', value: {} };
    case 'confirm':
      return { $case: 'confirm', value: { resources: verb.resources } };
    case 'diff':
      return { $case: 'diff', value: {} };
    case 'act': {
      const { kind: _kind, ...asked } = verb;
      return { $case: 'act', value: ActCommand.fromPartial(asked) };
    }
    case 'run-job': {
      const { kind: _kind, ...asked } = verb;
      return { $case: 'runJob', value: RunJobCommand.fromPartial(asked) };
    }
  }
}

/** Cuts text to at most so many bytes, at a character's edge. */
export function boundedText(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  return `${Buffer.from(text)
    .subarray(0, bytes - 3)
    .toString('utf8')
    .replace(/\ufffd+$/, '')}…`;
}
