import { z } from 'zod';

const name = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'is not a DNS name');

/** A service that the plugin generator calls, as it is registered. */
export const SetPlugin = z
  .strictObject({
    /** `api/v1/getparams.execute` is added to it. */
    baseUrl: z.string().min(1).max(2000),
    /** Sent as a bearer token; answered never. */
    token: z.string().min(1).max(10_000),
    timeoutSeconds: z.number().int().min(1).max(300).default(30),
  })
  .meta({ id: 'SetPlugin' });
export type SetPlugin = z.infer<typeof SetPlugin>;

export const PluginName = name;

export const PluginView = z
  .object({
    name: z.string(),
    baseUrl: z.string(),
    timeoutSeconds: z.number(),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: 'Plugin' });
export type PluginView = z.infer<typeof PluginView>;

export const PluginList = z.object({ items: z.array(PluginView) }).meta({ id: 'PluginList' });
export type PluginList = z.infer<typeof PluginList>;

/** ConfigMaps and resources of the clusterDecisionResource generator; all or nothing. */
export const ApplyDecisions = z
  .strictObject({ documents: z.array(z.record(z.string(), z.unknown())).min(1).max(1000) })
  .meta({ id: 'ApplyDecisions' });
export type ApplyDecisions = z.infer<typeof ApplyDecisions>;

/** `resource` is the plural in lower case, as the ConfigMap names it. */
export const DecisionKey = z
  .strictObject({
    apiVersion: z.string().min(1).max(253),
    resource: z.string().min(1).max(253),
    name: z.string().min(1).max(253),
  })
  .meta({ id: 'DecisionKey' });
export type DecisionKey = z.infer<typeof DecisionKey>;

export const DecisionView = z
  .object({
    ...DecisionKey.shape,
    kind: z.string(),
    updatedAt: z.string(),
    result: z.enum(['created', 'configured', 'unchanged']).optional(),
  })
  .meta({ id: 'Decision' });
export type DecisionView = z.infer<typeof DecisionView>;

export const DecisionList = z.object({ items: z.array(DecisionView) }).meta({ id: 'DecisionList' });
export type DecisionList = z.infer<typeof DecisionList>;
