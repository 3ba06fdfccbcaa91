import { conditionOf, field, type GroupRules, health, listOf, type Rule } from '../rules.ts';

/** The classic AWS provider of Crossplane: ready, synced, or paused. */
const managed =
  (name: string): Rule =>
  (o) => {
    if (field(o, 'status.conditions') === undefined)
      return health('Progressing', `Waiting for ${name} to be created`);
    const synced = conditionOf(o, 'Synced');
    const isReady = conditionOf(o, 'Ready')?.status === 'True';
    const isSynced = synced?.status === 'True';
    const paused = listOf(o, 'status.conditions').find(
      (c) => c.type === 'Synced' && c.reason === 'ReconcilePaused',
    );
    const failed = listOf(o, 'status.conditions').findLast(
      (c) => c.type === 'Synced' && c.reason === 'ReconcileError',
    );
    if (isReady && isSynced) return health('Healthy', conditionOf(o, 'Ready')?.reason);
    if (!isSynced && paused) return health('Suspended', paused.reason);
    if (isSynced && !paused) return health('Progressing', `Waiting for ${name} to be available`);
    return health('Degraded', failed?.message);
  };

export const cloudfront: GroupRules = { Distribution: managed('distribution') };
export const iam: GroupRules = {
  Policy: managed('Policy'),
  Role: managed('Role'),
  RolePolicyAttachment: managed('RolePolicyAttachment'),
};
export const rds: GroupRules = { DBCluster: managed('DBCluster'), DBInstance: managed('DBInstance') };
export const route53: GroupRules = { ResourceRecordSet: managed('resourcrecordset') };
export const s3: GroupRules = { Bucket: managed('Bucket') };
