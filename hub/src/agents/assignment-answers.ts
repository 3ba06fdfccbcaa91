import type { HeldLine } from '@muster/link';
import { Inject, Injectable } from '@nestjs/common';
import { AssignmentsService } from '../assignments/assignments.service.ts';
import { ClustersService } from '../clusters/clusters.service.ts';
import { DATABASE, type Db } from '../store/database.ts';
import { Batched } from './batched.ts';
import { heldLine } from './held-line.ts';

/** Answers of agents in one statement. */
const BATCH_ANSWERS = 500;
/** Clusters whose assignments, thousands each, are read by one statement. */
const BATCH_CLUSTERS = 20;

/** What agents say of the assignments they were sent, and what it is compared with. */
@Injectable()
export class AssignmentAnswers {
  readonly #db: Db;
  readonly #assignments: AssignmentsService;
  readonly #clusters: ClustersService;
  /** A stage of a rollout is answered by all of its agents at once. */
  readonly #taken = new Batched<{ clusterId: string; payloadSha256: Uint8Array }[]>(
    (batch) => this.#assignments.taken(batch.flat()),
    BATCH_ANSWERS,
  );
  /** It moves every agent's fingerprint too, and whole fleets reconnect. */
  readonly #desired = new Batched(
    (clusterIds: string[]) => this.#assignments.inventories(clusterIds),
    BATCH_CLUSTERS,
  );

  constructor(
    @Inject(DATABASE) db: Db,
    @Inject(AssignmentsService) assignments: AssignmentsService,
    @Inject(ClustersService) clusters: ClustersService,
  ) {
    this.#db = db;
    this.#assignments = assignments;
    this.#clusters = clusters;
  }

  /** What a cluster should hold now. */
  async desired(clusterId: string): Promise<HeldLine[]> {
    return ((await this.#desired.add(clusterId)).get(clusterId) ?? []).map(heldLine);
  }

  /** Only what was not acknowledged before is written: a reconnecting fleet writes nothing. */
  async acknowledged(clusterId: string, lines: readonly HeldLine[]): Promise<void> {
    if (lines.length === 0) return;
    await this.#taken.add(lines.map(({ payloadSha256 }) => ({ clusterId, payloadSha256 })));
  }

  /** What was refused is named by its digest: its content could not be trusted on the other side. */
  async refused(clusterId: string, clusterName: string, sha: Uint8Array, reason: string): Promise<void> {
    const row = (await this.#assignments.inventory(clusterId)).find(
      (each) => hex(each.payload_sha256) === hex(sha),
    );
    if (!row) return this.#clusters.refused(clusterName, reason);
    const { application_namespace: namespace, application_name: name, epoch, generation } = row;
    const ack = { namespace, name, epoch, generation, refused: reason.slice(0, 2048) };
    await this.#db.transaction().execute((trx) => this.#assignments.acked(trx, clusterId, [ack]));
    await this.#clusters.refused(clusterName, reason, `${namespace}/${name}`);
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
