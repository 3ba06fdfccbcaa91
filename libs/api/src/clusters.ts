import { z } from 'zod';
import { PageQuery } from './paging.ts';

/** DNS label or subdomain: what a cluster may be called. */
export const ClusterName = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'lower-case letters, digits, - and . only');
/** Labels as Kubernetes allows them. */
export const LabelMap = z.record(
  z
    .string()
    .min(1)
    .max(317)
    .regex(/^([A-Za-z0-9.-]+\/)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/, 'not a label key'),
  z
    .string()
    .max(63)
    .regex(/^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$/, 'not a label value'),
);
const AnnotationMap = z.record(z.string().min(1).max(317), z.string().max(65_536));
const Server = z
  .string()
  .min(1)
  .max(2048)
  .regex(/^[a-z][a-z0-9+.-]*:\/\/[^\s]+$/, 'a URL such as https://10.0.0.1:6443');

export const ClusterState = z.enum(['pending', 'active', 'recovered', 'removing']);

export const ListClusters = z.object({
  ...PageQuery.shape,
  label: z.string().max(4096).optional().describe('label selector, as kubectl -l reads it'),
  state: ClusterState.optional(),
  search: z.string().max(253).optional().describe('part of the name, without regard to case'),
});
export type ListClusters = z.infer<typeof ListClusters>;

export const ClusterView = z
  .object({
    name: z.string(),
    id: z.uuid(),
    server: z.string(),
    labels: z.record(z.string(), z.string()),
    annotations: z.record(z.string(), z.string()),
    local: z.boolean().describe('the cluster the hub itself runs in'),
    state: ClusterState,
    connection: z.enum(['never', 'connected', 'silent']),
    silentSince: z.iso.datetime().optional().describe('Unknown since: last heard plus its lease'),
    lastSeenAt: z.iso.datetime().optional(),
    connectedAt: z.iso.datetime().optional(),
    clockOffsetMs: z
      .number()
      .int()
      .optional()
      .describe("what the agent adds to its clock to get the hub's, as it learned in its session"),
    kubernetesVersion: z.string().optional(),
    agentVersion: z.string().optional(),
    nodeCount: z.number().int().optional(),
    platform: z.string().optional(),
    namespaces: z.array(z.string()).describe('namespaces the agent is limited to; empty: the whole cluster'),
    limits: z
      .object({
        accepts: z.string().describe('all, observe-only, no-delete, or the verbs'),
        observeOnly: z.boolean().describe('it reports everything and changes nothing'),
        verbs: z.array(z.string()).describe('what it accepts from the hub; empty: everything'),
        namespaces: z.array(z.string()).describe('globs, ! in front excludes; empty: all'),
        kinds: z.array(z.string()).describe('globs of group/Kind; empty: all'),
        clusterKinds: z.array(z.string()).describe('the same for kinds that belong to no namespace'),
        serviceAccounts: z.array(z.string()).describe('globs of namespace/name it acts as; empty: any'),
        needsServiceAccount: z.boolean().describe('it writes nothing as itself'),
      })
      .optional()
      .describe('what whoever installed the agent allows it; absent: an agent that knows no limits'),
    apiVersions: z.number().int().describe('how many API versions and kinds it serves'),
    keySetVersion: z.string().describe('version of the key set that the agent acknowledged'),
    kubeSystemUid: z.string().optional(),
    cloned: z
      .object({ uid: z.string(), at: z.iso.datetime() })
      .optional()
      .describe('another cluster presented this identity and was refused'),
    waiting: z
      .object({ kubeSystemUid: z.string(), since: z.iso.datetime() })
      .optional()
      .describe('an enrolment that waits for an approval'),
    removal: z
      .object({
        mode: z.enum(['keep', 'uninstall', 'forget']),
        requestedAt: z.iso.datetime(),
        heldSince: z.iso.datetime().optional(),
      })
      .optional(),
    createdAt: z.iso.datetime(),
    approvedAt: z.iso.datetime().optional(),
    approvedBy: z.string().optional(),
  })
  .meta({ id: 'Cluster' });
export type ClusterView = z.infer<typeof ClusterView>;
export const ClusterPage = z
  .object({ items: z.array(ClusterView), next: z.string().optional() })
  .meta({ id: 'ClusterPage' });
export type ClusterPage = z.infer<typeof ClusterPage>;

export const ClusterChange = z
  .object({ labels: LabelMap.optional(), annotations: AnnotationMap.optional(), server: Server.optional() })
  .meta({ id: 'ClusterChange' });
export type ClusterChange = z.infer<typeof ClusterChange>;

export const LabelClusters = z
  .object({
    selector: z.string().min(1).max(4096).describe('which clusters, as kubectl -l reads it'),
    set: LabelMap.default({}),
    remove: z.array(z.string().min(1).max(317)).max(100).default([]).describe('keys'),
  })
  .meta({ id: 'LabelClusters' });
export type LabelClusters = z.infer<typeof LabelClusters>;

export const LabelledClusters = z
  .object({ selected: z.number().int(), changed: z.number().int().describe('whose labels are others now') })
  .meta({ id: 'LabelledClusters' });
export type LabelledClusters = z.infer<typeof LabelledClusters>;

export const RemoveCluster = z.object({
  mode: z
    .enum(['keep', 'uninstall', 'forget'])
    .describe('keep the workloads, uninstall them first, or forget a dead cluster'),
});
export type RemoveCluster = z.infer<typeof RemoveCluster>;

export const RemovedCluster = z
  .object({ result: z.enum(['gone', 'removing']).describe('removing: its tombstones are on their way') })
  .meta({ id: 'RemovedCluster' });
export type RemovedCluster = z.infer<typeof RemovedCluster>;

export const ApproveCluster = z
  .object({ reason: z.string().max(1024).optional() })
  .meta({ id: 'ApproveCluster' })
  .prefault({});
export type ApproveCluster = z.infer<typeof ApproveCluster>;

export const RevokedCertificates = z
  .object({ revoked: z.number().int() })
  .meta({ id: 'RevokedCertificates' });
export type RevokedCertificates = z.infer<typeof RevokedCertificates>;

export const NewJoinToken = z
  .object({
    name: ClusterName.describe('the cluster that may join with it'),
    labels: LabelMap.default({}),
    annotations: AnnotationMap.default({}),
    server: Server.optional(),
    local: z.boolean().default(false),
    autoApprove: z.boolean().default(false),
    maxUses: z.number().int().min(1).max(1000).default(1),
    expiresInSeconds: z
      .number()
      .int()
      .min(1)
      .max(31 * 86_400)
      .default(86_400),
  })
  .meta({ id: 'NewJoinToken' });
export type NewJoinToken = z.infer<typeof NewJoinToken>;

export const JoinTokenView = z
  .object({
    id: z.uuid(),
    name: z.string(),
    labels: z.record(z.string(), z.string()),
    local: z.boolean(),
    autoApprove: z.boolean(),
    maxUses: z.number().int(),
    uses: z.number().int(),
    expiresAt: z.iso.datetime(),
    revokedAt: z.iso.datetime().optional(),
    createdBy: z.string(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'JoinToken' });
export type JoinTokenView = z.infer<typeof JoinTokenView>;
export const JoinTokenList = z.object({ items: z.array(JoinTokenView) }).meta({ id: 'JoinTokenList' });

/** The only answer that ever holds the token. */
export const CreatedJoinToken = JoinTokenView.extend({
  token: z.string(),
  install: z.object({
    command: z.string().optional().describe('to run in the cluster'),
    missing: z.array(z.string()).describe('settings of the hub without which there is no command'),
    reason: z.string().optional(),
    values: z.record(z.string(), z.string()).describe('values of the agent chart'),
  }),
  hub: z.object({ gateway: z.string(), enrol: z.string(), caSha256: z.string() }),
}).meta({ id: 'CreatedJoinToken' });
export type CreatedJoinToken = z.infer<typeof CreatedJoinToken>;
