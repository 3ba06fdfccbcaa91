import { parseGoDuration, problemsOfWindow } from '@muster/kube';
import { z } from 'zod';
import { policyDependencies } from './dependencies.ts';
import { parseQuantity } from './quantity.ts';

/** The written form of a RolloutPolicy; `policy-manifest.ts` fills in what is left out. */

const name = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'is not a DNS label (lower-case letters, digits and -)');
const text = z.string().min(1).max(10_000);
const label = z.string().min(1).max(317);

const duration = z.string().transform((written, context) => {
  const ms = /^\d+$/.test(written) ? undefined : parseGoDuration(written);
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: `"${written}" is no duration such as 30s, 10m or 1h30m` });
  return z.NEVER;
});

const quantity = z.union([z.number(), z.string()]).transform((written, context) => {
  const read = parseQuantity(written);
  if (read) return read;
  context.addIssue({
    code: 'custom',
    message: `${JSON.stringify(written)} is neither a whole number nor a percentage such as "25%"`,
  });
  return z.NEVER;
});

const expression = z
  .strictObject({
    key: label,
    operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
    values: z.array(z.string().max(63)).max(1000).default([]),
  })
  .superRefine(({ operator, values }, context) => {
    const wanted = operator === 'In' || operator === 'NotIn';
    if (wanted === values.length > 0) return;
    const message = wanted ? `${operator} needs at least one value` : `${operator} takes no values`;
    context.addIssue({ code: 'custom', message, path: ['values'] });
  });

export const selector = z.strictObject({
  matchLabels: z.record(label, z.string().max(63)).default({}),
  matchExpressions: z.array(expression).max(100).default([]),
});

const order = z
  .union([
    z.enum(['name', 'random']),
    z.strictObject({ label, descending: z.boolean().optional() }),
    z.strictObject({ name: z.literal('descending') }),
  ])
  .transform((written) => {
    if (written === 'random') return { by: 'random' as const };
    if (written === 'name') return { by: 'name' as const, descending: false };
    if ('name' in written) return { by: 'name' as const, descending: true };
    return { by: 'label' as const, label: written.label, descending: written.descending ?? false };
  });

const time = z.string().transform((written, context) => {
  const ms = /^\d{4}-\d\d-\d\dT/.test(written) ? Date.parse(written) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  context.addIssue({ code: 'custom', message: `"${written}" is no time such as 2026-12-24T18:00:00Z` });
  return z.NEVER;
});

const window = z
  .union([
    z.strictObject({
      kind: z.enum(['allow', 'deny']),
      schedule: text,
      duration: text,
      timeZone: z.string().default('UTC'),
    }),
    z.strictObject({ kind: z.enum(['allow', 'deny']), from: time, until: time }),
  ])
  .transform((written, context) => {
    const deny = written.kind === 'deny';
    if ('from' in written) {
      if (written.from >= written.until)
        context.addIssue({ code: 'custom', message: 'ends before it begins', path: ['until'] });
      return { deny, fromMs: written.from, untilMs: written.until };
    }
    for (const problem of problemsOfWindow(written))
      context.addIssue({
        code: 'custom',
        message: problem.replace(/^\w+: /, ''),
        path: [problem.split(':')[0]!],
      });
    const { schedule, timeZone } = written;
    return { deny, schedule, timeZone, durationMs: parseGoDuration(written.duration) ?? 0 };
  });
export const windows = z.array(window).max(50);

export const approval = z.strictObject({
  groups: z.array(text).max(50).default([]),
  count: z.int().min(1).max(20).default(1),
  expires: duration.default(7 * 24 * 3_600_000),
});

const probe = {
  where: z.enum(['agent', 'hub']),
  interval: duration.default(60_000),
  failures: z.int().min(0).max(1000).default(0),
  timeout: duration.default(600_000),
};

const gate = z.strictObject({
  name,
  at: z.enum(['entry', 'end']).optional(),
  approval: approval.optional(),
  windows: windows.min(1).optional(),
  prometheus: z
    .strictObject({
      query: text,
      condition: text.regex(
        /^(<|<=|>|>=|==|!=)\s*-?\d+(\.\d+)?(e-?\d+)?$/i,
        'is no comparison with a number such as "< 0.01"',
      ),
      server: z.url().nullish(),
      ...probe,
      where: z.enum(['agent', 'hub']).default('agent'),
    })
    .optional(),
  http: z
    .strictObject({
      url: z.url(),
      statuses: z.array(z.int().min(100).max(599)).min(1).default([200]),
      ...probe,
      where: z.enum(['agent', 'hub']).default('hub'),
    })
    .optional(),
  job: z
    .strictObject({ manifest: z.record(z.string(), z.unknown()), timeout: duration.default(600_000) })
    .optional(),
});

const stageSettings = {
  maxConcurrent: quantity.optional(),
  order: order.optional(),
  rate: z
    .strictObject({
      perMinute: z.number().gt(0).max(100_000).optional(),
      jitter: z.number().min(0).max(1).optional(),
      perLabel: z.strictObject({ label, max: quantity }).optional(),
    })
    .optional(),
  soak: duration.optional(),
  deadline: duration.optional(),
  failureBudget: quantity.optional(),
  offline: z
    .union([
      z.enum(['wait', 'skip', 'catch-up']),
      z.strictObject({ mode: z.enum(['wait', 'skip', 'catch-up']), after: duration.optional() }),
    ])
    .optional(),
  onFailure: z.enum(['stop', 'rollback-failed', 'rollback-all']).optional(),
};

const stage = z.strictObject({
  name,
  clusters: selector.optional(),
  applications: selector.optional(),
  take: z
    .union([z.number(), z.string()])
    .or(z.strictObject({ amount: z.union([z.number(), z.string()]), per: label.optional() }))
    .optional(),
  ...stageSettings,
  production: z.boolean().optional(),
  gates: z.array(gate).max(20).optional(),
  dependsOn: policyDependencies.optional(),
});

export const policyDocument = z.strictObject({
  apiVersion: z.literal('muster.dev/v1alpha1'),
  kind: z.literal('RolloutPolicy'),
  metadata: z.looseObject({
    name: z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, 'is not a DNS name'),
  }),
  spec: z.strictObject({
    applicationSets: selector.optional(),
    defaults: z.strictObject(stageSettings).optional(),
    stages: z.array(stage).min(1, 'at least one stage is needed').max(50),
    windows: windows.optional(),
    dependsOn: policyDependencies.optional(),
    rollback: z
      .strictObject({
        maxConcurrent: quantity.optional(),
        deadline: duration.optional(),
        windowsHold: z.boolean().optional(),
      })
      .optional(),
    superseding: z.enum(['supersede', 'queue', 'batch']).optional(),
    pruneApproval: z.union([z.literal('waived'), approval]).optional(),
  }),
});

export type WrittenPolicy = z.infer<typeof policyDocument>;
export type WrittenStage = WrittenPolicy['spec']['stages'][number];
export type WrittenGate = NonNullable<WrittenStage['gates']>[number];
export type WrittenSettings = NonNullable<WrittenPolicy['spec']['defaults']>;
export type WrittenApproval = z.infer<typeof approval>;
