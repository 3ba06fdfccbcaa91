import { MusterError } from '@muster/base';
import { z } from 'zod';
import type { RolloutPolicy, StagePolicy } from './policy.ts';
import { parseQuantity } from './quantity.ts';

const strategy = z.looseObject({
  type: z.string().optional(),
  rollingSync: z
    .looseObject({
      steps: z
        .array(
          z.strictObject({
            matchExpressions: z
              .array(
                z.strictObject({
                  key: z.string().default(''),
                  operator: z.string().default(''),
                  values: z.array(z.string()).default([]),
                }),
              )
              .nullish(),
            maxUpdate: z.union([z.number(), z.string()]).nullish(),
          }),
        )
        .nullish(),
    })
    .nullish(),
});

/**
 * `spec.strategy` of an ApplicationSet as a policy, with what Argo CD 3.6 makes of it; undefined where it is not
 * RollingSync. Each step is a stage over labels of Applications; an Application that matches several is of the first,
 * one that matches none is synced by hand alone. Nothing fails: a step waits until all of it is healthy.
 * Throws `invalid` for what the reference would only complain about in a condition: no steps, an operator other than In
 * and NotIn, a `maxUpdate` that is no number.
 */
export function rollingSyncPolicy(written: unknown, where = 'ApplicationSet'): RolloutPolicy | undefined {
  if (written === undefined || written === null) return undefined;
  const parsed = strategy.safeParse(written);
  if (!parsed.success)
    throw new MusterError('invalid', parsed.error.issues[0]!.message, {
      where: `${where}: spec.strategy.${parsed.error.issues[0]!.path.join('.')}`,
    });
  if (parsed.data.type !== 'RollingSync') return undefined;
  const steps = parsed.data.rollingSync?.steps ?? [];
  if (steps.length === 0)
    throw new MusterError('invalid', 'RollingSync has no steps', {
      where: `${where}: spec.strategy.rollingSync.steps`,
      hint: 'add a step without matchExpressions for all Applications, or use type AllAtOnce',
    });
  return {
    name: 'rollingSync',
    source: 'rollingSync',
    applicationSets: null,
    stages: steps.map((step, i) => {
      const at = `${where}: spec.strategy.rollingSync.steps[${i}]`;
      return stageOf(
        `step-${i + 1}`,
        matchesOf(step.matchExpressions ?? [], at),
        step.maxUpdate ?? '100%',
        at,
      );
    }),
    windows: [],
    rollback: { maxConcurrent: { percent: 100 }, deadlineMs: 600_000, windowsHold: false },
    superseding: 'supersede',
    pruneApproval: null,
  };
}

function matchesOf(
  written: readonly { key: string; operator: string; values: string[] }[],
  at: string,
): StagePolicy['applications'] {
  const matchExpressions = written.map(({ key, operator, values }, i) => {
    if (operator === 'In' || operator === 'NotIn') return { key, operator, values } as const;
    throw new MusterError('invalid', `"${operator}" is neither In nor NotIn`, {
      where: `${at}.matchExpressions[${i}].operator`,
    });
  });
  return { matchLabels: {}, matchExpressions };
}

function stageOf(
  name: string,
  applications: StagePolicy['applications'],
  maxUpdate: number | string,
  at: string,
): StagePolicy {
  const maxConcurrent = parseQuantity(maxUpdate);
  if (!maxConcurrent)
    throw new MusterError(
      'invalid',
      `${JSON.stringify(maxUpdate)} is neither a number nor a percentage such as "10%"`,
      {
        where: `${at}.maxUpdate`,
      },
    );
  return {
    name,
    clusters: { matchLabels: {}, matchExpressions: [] },
    applications,
    take: null,
    maxConcurrent,
    order: { by: 'name', descending: false },
    rate: { perMinute: null, jitter: 0, perLabel: null },
    soakMs: 0,
    deadlineMs: null,
    failureBudget: { percent: 100 },
    failOnDegraded: false,
    offline: { mode: 'wait', afterMs: 60_000 },
    onFailure: 'stop',
    gates: [],
    production: false,
    dependsOn: [],
  };
}
