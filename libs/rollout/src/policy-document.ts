import { z } from 'zod';
import { policyDependencies } from './dependencies.ts';
import { approval, duration, gate, name, windows } from './gate-document.ts';
import { parseQuantity } from './quantity.ts';

/** The written form of a RolloutPolicy; `policy-manifest.ts` fills in what is left out. */

const label = z.string().min(1).max(317);

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
export type WrittenSettings = NonNullable<WrittenPolicy['spec']['defaults']>;
