import { MusterError } from '@muster/base';
import type { z } from 'zod';
import { readApproval, readGate } from './gate-manifest.ts';
import type { ApprovalCheck, Offline, RolloutPolicy, StagePolicy } from './policy.ts';
import { readPolicyDependencies } from './dependencies.ts';
import {
  type WrittenPolicy,
  type WrittenSettings,
  type WrittenStage,
  policyDocument,
} from './policy-document.ts';
import { type Quantity, parseQuantity } from './quantity.ts';
import { isEmpty } from './selector.ts';

const ALL = { matchLabels: {}, matchExpressions: [] };
const WEEK_MS = 7 * 24 * 3_600_000;
const DEFAULTS = {
  maxConcurrent: { percent: 100 } as Quantity,
  order: { by: 'name' as const, descending: false },
  deadlineMs: 10 * 60_000,
  failureBudget: { count: 0 } as Quantity,
  offlineAfterMs: 60_000,
};

/** Reads a RolloutPolicy document. Throws MusterError `invalid` that names every wrong field. */
export function parseRolloutPolicy(written: unknown, where = 'RolloutPolicy'): RolloutPolicy {
  const parsed = policyDocument.safeParse(written);
  if (!parsed.success) throw refused(issueTexts(parsed.error), where);
  const { metadata, spec } = parsed.data;
  const found: string[] = [];
  const stages = spec.stages.map((stage, i) => readStage(stage, spec, `spec.stages[${i}]`, found));
  found.push(...contradictions(stages));
  if (found.length > 0) throw refused(found, where);
  return {
    name: metadata.name,
    source: 'RolloutPolicy',
    applicationSets: spec.applicationSets ?? null,
    stages,
    windows: spec.windows ?? [],
    rollback: {
      maxConcurrent: spec.rollback?.maxConcurrent ?? { percent: 100 },
      deadlineMs: spec.rollback?.deadline ?? DEFAULTS.deadlineMs,
      windowsHold: spec.rollback?.windowsHold ?? false,
    },
    superseding: spec.superseding ?? 'supersede',
    pruneApproval: pruneApproval(spec.pruneApproval),
  };
}

function refused(problems: string[], where: string): MusterError {
  const shown = problems.slice(0, 10);
  const more = problems.length - shown.length;
  return new MusterError('invalid', shown.join('; ') + (more > 0 ? `; and ${more} more` : ''), {
    where,
    hint: 'every field is in the policy reference of @muster/rollout',
  });
}

function readStage(
  written: WrittenStage,
  spec: WrittenPolicy['spec'],
  at: string,
  found: string[],
): StagePolicy {
  const settings = { ...spec.defaults, ...written };
  const soakMs = settings.soak ?? 0;
  const gates = (written.gates ?? []).flatMap(
    (gate, i) => readGate(gate, soakMs, `${at}.gates[${i}]`, found) ?? [],
  );
  return {
    name: written.name,
    clusters: written.clusters ?? ALL,
    applications: written.applications ?? ALL,
    take: readTake(written.take, `${at}.take`, found),
    maxConcurrent: settings.maxConcurrent ?? DEFAULTS.maxConcurrent,
    order: settings.order ?? DEFAULTS.order,
    rate: {
      perMinute: settings.rate?.perMinute ?? null,
      jitter: settings.rate?.jitter ?? 0,
      perLabel: settings.rate?.perLabel ?? null,
    },
    soakMs,
    deadlineMs: settings.deadline ?? DEFAULTS.deadlineMs,
    failureBudget: settings.failureBudget ?? DEFAULTS.failureBudget,
    failOnDegraded: true,
    offline: readOffline(settings.offline),
    onFailure: settings.onFailure ?? 'rollback-all',
    gates,
    production: written.production ?? false,
    dependsOn: readPolicyDependencies([...(spec.dependsOn ?? []), ...(written.dependsOn ?? [])]),
  };
}

function readTake(written: WrittenStage['take'], at: string, found: string[]): StagePolicy['take'] {
  if (written === undefined) return null;
  const { amount, per } = typeof written === 'object' ? written : { amount: written, per: undefined };
  const quantity = parseQuantity(amount);
  if (quantity && ('count' in quantity ? quantity.count : quantity.percent) > 0)
    return { quantity, per: per ?? null };
  found.push(
    `${at}: ${JSON.stringify(amount)} is neither a whole number above 0 nor a percentage such as "25%"`,
  );
  return null;
}

function readOffline(written: WrittenSettings['offline']): Offline {
  const { mode, after } =
    typeof written === 'object' ? written : { mode: written ?? 'wait', after: undefined };
  return { mode, afterMs: after ?? DEFAULTS.offlineAfterMs };
}

function pruneApproval(written: WrittenPolicy['spec']['pruneApproval']): ApprovalCheck | null {
  if (written === 'waived') return null;
  return written ? readApproval(written) : { kind: 'approval', groups: [], count: 1, expiresMs: WEEK_MS };
}

/** What is wrong with stages that are each right: names that repeat, and stages that can never get a target. */
function contradictions(stages: readonly StagePolicy[]): string[] {
  const found = repeats(stages).map(([i, name]) => `spec.stages[${i}].name: "${name}" is taken`);
  for (const [i, stage] of stages.entries()) {
    for (const [k, name] of repeats(stage.gates))
      found.push(`spec.stages[${i}].gates[${k}].name: "${name}" is taken`);
  }
  const everything = stages.findIndex(
    (stage) => stage.take === null && isEmpty(stage.clusters) && isEmpty(stage.applications),
  );
  if (everything >= 0 && everything < stages.length - 1)
    found.push(
      `spec.stages[${everything + 1}]: nothing is left for it, "${stages[everything]!.name}" before it takes everything`,
    );
  return found;
}

function repeats(named: readonly { name: string }[]): [number, string][] {
  const seen = new Set<string>();
  return [...named.entries()].flatMap(([i, { name }]) =>
    seen.has(name) ? [[i, name]] : (seen.add(name), []),
  );
}

/** What is wrong with a document, field by field. */
export function issueTexts(error: z.ZodError): string[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => `${pathOf([...issue.path, key])}: unknown field`);
    if (issue.code === 'invalid_union') return unionTexts(issue);
    const message = issue.message.replace(/^Invalid input: /, '');
    return [`${pathOf(issue.path)}: ${message.charAt(0).toLowerCase()}${message.slice(1)}`];
  });
}

/** Of the forms that something may have, the one that fits best says what is wrong. */
function unionTexts(issue: z.core.$ZodIssueInvalidUnion): string[] {
  const [best] = issue.errors
    .filter((issues) => issues.some(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'))
    .sort((a, b) => a.length - b.length);
  if (!best) return [`${pathOf(issue.path)}: is none of the forms that it may have`];
  return best.flatMap((inner) => {
    const path = [...issue.path, ...inner.path];
    if (inner.code === 'unrecognized_keys')
      return inner.keys.map((key) => `${pathOf([...path, key])}: unknown field`);
    return [`${pathOf(path)}: ${inner.message.replace(/^Invalid input: /, '')}`];
  });
}

function pathOf(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path)
    text += typeof part === 'number' ? `[${part}]` : `${text ? '.' : ''}${String(part)}`;
  return text || 'document';
}
