import { z } from 'zod';

/** `group/Kind/namespace/name` as resources are keyed; the core group and cluster-scoped objects leave their part empty. */
export const ResourceKey = z
  .string()
  .max(1000)
  .regex(/^[^/]*\/[^/]+\/[^/]*\/[^/]+$/, 'is not group/Kind/namespace/name')
  .describe('group/Kind/namespace/name, such as apps/Deployment/prod/web or /Pod/prod/web-1');

const Fact = z.object({ name: z.string(), value: z.string() });

/** One object of the tree, as it was when it was asked for. */
export const ResourceNode = z
  .object({
    key: z.string(),
    group: z.string(),
    version: z.string(),
    kind: z.string(),
    namespace: z.string(),
    name: z.string(),
    /** Empty: not in the cluster. */
    uid: z.string(),
    /** Keys of the nodes that own it; empty for what Git names. */
    parents: z.array(z.string()),
    /** Applied by Muster, or to be; else owned by what is. */
    managed: z.boolean(),
    /** Made by a sync. */
    hook: z.boolean(),
    /** Synced, OutOfSync, Unknown; empty for what is not managed. */
    sync: z.string(),
    /** Empty for kinds without a health check. */
    health: z.string(),
    message: z.string(),
    createdAt: z.string(),
    /** Short facts, such as `ready 2/3`. */
    facts: z.array(Fact),
  })
  .meta({ id: 'ResourceNode' });
export type ResourceNode = z.infer<typeof ResourceNode>;

export const ResourceTree = z
  .object({
    cluster: z.string(),
    at: z.iso.datetime().describe('when the cluster was looked at'),
    /** Roots first, parents before their children. */
    nodes: z.array(ResourceNode.extend({ actions: z.array(z.string()) })),
    /** What could not be looked at, in words. */
    notes: z.array(z.string()),
    truncated: z.boolean(),
  })
  .meta({ id: 'ResourceTree' });
export type ResourceTree = z.infer<typeof ResourceTree>;

export const GetResource = z.object({
  resource: ResourceKey,
  /** Judge the difference too, which asks the API server for a dry run. */
  diff: z.stringbool().default(true),
});
export type GetResource = z.infer<typeof GetResource>;

export const ResourceView = z
  .object({
    key: z.string(),
    managed: z.boolean(),
    /** As it is; absent: not there. Values of Secrets are masked. */
    live: z.record(z.string(), z.unknown()).optional(),
    /** As Git says; absent: Git does not name it. */
    desired: z.record(z.string(), z.unknown()).optional(),
    health: z.string().optional(),
    healthMessage: z.string().optional(),
    diff: z
      .object({
        /** extra: no longer in Git. */
        state: z.enum(['synced', 'differs', 'missing', 'unknown', 'extra']),
        message: z.string().optional(),
        /** JSON texts, redacted; empty: the field is absent there. */
        fields: z.array(z.object({ path: z.string(), expected: z.string(), actual: z.string() })),
        /** Who wrote last what differs. */
        manager: z.string().optional(),
        operation: z.string().optional(),
        timeMs: z.number().optional(),
      })
      .optional(),
    /** What can be done to it: see POST …/resources/actions. */
    actions: z.array(z.string()),
  })
  .meta({ id: 'Resource' });
export type ResourceView = z.infer<typeof ResourceView>;

export const GetEvents = z.object({
  /** This object and what it owns; left out: all of the Application. */
  resource: ResourceKey.optional(),
});
export type GetEvents = z.infer<typeof GetEvents>;

export const ResourceEvents = z
  .object({
    /** Newest first. */
    items: z.array(
      z.object({
        type: z.string(),
        reason: z.string(),
        message: z.string(),
        count: z.number(),
        firstAt: z.string(),
        lastAt: z.string(),
        source: z.string(),
        object: z.object({ group: z.string(), kind: z.string(), namespace: z.string(), name: z.string() }),
      }),
    ),
    notes: z.array(z.string()),
    truncated: z.boolean(),
  })
  .meta({ id: 'ResourceEvents' });
export type ResourceEvents = z.infer<typeof ResourceEvents>;

export const MAX_TAIL_LINES = 10_000;

export const GetLogs = z.object({
  /** A Pod, or whatever owns Pods; left out: all Pods of the Application. */
  resource: ResourceKey.optional(),
  /** Left out: the default one of each Pod; `*`: all. */
  container: z.string().max(253).optional(),
  follow: z.stringbool().default(false),
  /** Of each container, from its end. */
  tailLines: z.coerce.number().int().min(1).max(MAX_TAIL_LINES).default(200),
  sinceSeconds: z.coerce
    .number()
    .int()
    .min(1)
    .max(10 * 365 * 86_400)
    .optional(),
  /** Of the container that ran before. */
  previous: z.stringbool().default(false),
  /** Kept in the audit log. */
  reason: z.string().max(1000).optional(),
});
export type GetLogs = z.infer<typeof GetLogs>;

/** Data of `event: line`. */
export const LogLine = z
  .object({
    pod: z.string(),
    namespace: z.string(),
    container: z.string(),
    /** Empty where the runtime gave none. */
    time: z.string(),
    text: z.string(),
    /** Said of the container by its agent, such as that its Pod is gone. */
    note: z.boolean().optional(),
  })
  .meta({ id: 'LogLine' });
export type LogLine = z.infer<typeof LogLine>;

/** Data of `event: end`: why the log ends before what was asked for does; empty: it does not. */
export const LogEnd = z.object({ cut: z.string() }).meta({ id: 'LogEnd' });
export type LogEnd = z.infer<typeof LogEnd>;

export const ResourceAction = z
  .strictObject({
    resource: ResourceKey,
    /** restart, scale, delete, pause, resume, promote, promote-full, skip-step, skip-all-steps, abort, retry, suspend, trigger. */
    action: z.string().min(1).max(40),
    /** scale: `replicas`. delete: `propagation` (Foreground, Background, Orphan), `force` (no grace), `data` (data may be lost). */
    parameters: z.record(z.string().max(40), z.string().max(200)).default({}),
    /** Refused when another object has this name by then. */
    uid: z.string().max(64).optional(),
    reason: z.string().max(1000).optional(),
  })
  .meta({ id: 'ResourceAction' });
export type ResourceAction = z.infer<typeof ResourceAction>;
