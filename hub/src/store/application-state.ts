import { sql } from 'kysely';
import { IS_SILENT } from './lease.ts';

/** What the expressions below read: Applications `a`, clusters `c`, assignments `g`, statuses `t`, targets of the newest release `rt`, what the hub itself holds for it `hr`, where a rollout keeps it `th`, where somebody pinned it `tp`. */
export const APPLICATION_STATE_TABLES = sql`
  applications a
  left join clusters c on c.id = a.cluster_id
  left join assignments g on g.cluster_id = a.cluster_id and g.application_namespace = a.namespace and g.application_name = a.name
  left join target_status t on t.cluster_id = a.cluster_id and t.application_namespace = a.namespace and t.application_name = a.name
  left join release_targets rt on rt.release_id = a.release_id and rt.application_id = a.id and rt.cluster_id = a.cluster_id
  left join target_holds th on th.application_id = a.id and th.cluster_id = a.cluster_id
  left join target_pins tp on tp.application_id = a.id and tp.cluster_id = a.cluster_id
  left join roots hr on hr.application_id = a.id`;

/** Released and not signed yet counts as well: nothing said before is about what the newest release asks for. What is pinned is asked for its own. */
const IS_BEHIND = sql`(g.action = 'apply' and (
  (t.epoch, t.generation) < (g.epoch, g.generation)
  or case when tp.application_id is null then rt.assignment_digest else th.assignment_digest end <> g.assignment_digest))`;

/** Kept where it is by a rollout, and that is what it is assigned: its health is that of what it holds. */
const IS_KEPT = sql`(th.assignment_digest = g.assignment_digest and (t.epoch, t.generation) >= (g.epoch, g.generation))`;

/**
 * The sync status in a cluster: what it said counts only while it can be heard (else Unknown), and only about
 * the newest assignment: until the agent has reported on that one, the Application is OutOfSync.
 */
const CLUSTER_SYNC = sql<string>`
  case when ${IS_SILENT} then 'Unknown'
    when t.sync is null then case when g.generation is null then 'Unknown' else 'OutOfSync' end
    when ${IS_BEHIND} then 'OutOfSync'
    else t.sync end`;

/** Of what the hub itself holds: of a newer bundle nothing was said yet. */
const HUB_SYNC = sql<string>`
  case when hr.sync = 'Synced' and hr.synced_digest is distinct from hr.bundle_digest then 'OutOfSync' else hr.sync end`;

/** The sync status that is shown; of an Application in both places the worse one. */
export const SYNC_NOW = sql<string>`
  case when hr.application_id is null then ${CLUSTER_SYNC}
    when a.cluster_id is null or ${HUB_SYNC} = 'OutOfSync' then ${HUB_SYNC}
    else ${CLUSTER_SYNC} end`;

/** The health in a cluster, by the same rule: Progressing until the agent has reported on the newest assignment. */
const CLUSTER_HEALTH = sql<string>`
  case when ${IS_SILENT} then 'Unknown'
    when t.health is null then case when g.generation is null then 'Unknown' else 'Missing' end
    when ${IS_BEHIND} and ${IS_KEPT} is not true and t.health = 'Healthy' then 'Progressing'
    else t.health end`;

/** The health that is shown; of an Application in both places the worse one. */
export const HEALTH_NOW = sql<string>`
  case when hr.application_id is null then ${CLUSTER_HEALTH}
    when a.cluster_id is null then hr.health
    when ${CLUSTER_HEALTH} = 'Healthy' then hr.health
    else ${CLUSTER_HEALTH} end`;
