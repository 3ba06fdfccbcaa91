import { z } from 'zod';
import { Condition } from './conditions.ts';

/** Any mix of ApplicationSet, Application and AppProject documents (argoproj.io/v1alpha1), RolloutPolicies (muster.dev/v1alpha1) and an `argocd-cm`; all or nothing. */
export const ApplyRequest = z
  .strictObject({
    documents: z.array(z.record(z.string(), z.unknown())).min(1).max(2000),
    dryRun: z.boolean().default(false),
  })
  .meta({ id: 'ApplyRequest' });
export type ApplyRequest = z.infer<typeof ApplyRequest>;

export const ApplyResult = z
  .object({
    dryRun: z.boolean(),
    results: z.array(
      z.object({
        kind: z.enum([
          'ApplicationSet',
          'Application',
          'AppProject',
          'ConfigMap',
          'RolloutPolicy',
          'Promotion',
        ]),
        namespace: z.string(),
        name: z.string(),
        result: z.enum(['created', 'configured', 'unchanged']),
        conditions: z.array(Condition),
      }),
    ),
  })
  .meta({ id: 'ApplyResult' });
export type ApplyResult = z.infer<typeof ApplyResult>;
