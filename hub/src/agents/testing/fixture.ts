import { createHash } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { canonicalJson } from '@muster/base';
import { assignmentDigest, payloadSha256 } from '@muster/link';
import { Action, ApplicationStatus, Assignment } from '@muster/proto';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { ASSIGNMENTS_CHANNEL } from '../../assignments/assignments.service.ts';
import { Keys } from '../../keys/keys.ts';
import { RecoveryService } from '../../recovery/recovery.service.ts';
import { Sealer } from '../../store/sealer.ts';
import { startTestHub, type TestHub } from '../../testing/hub.ts';
import { Listening } from '../../api/readiness.ts';
import { type HubAddress, TestAgent, TestEnrolment } from './test-agent.ts';
import { eventually } from '../../testing/index.ts';

/** A hub and what tests of the link do to it. */
export class LinkFixture {
  readonly hub: TestHub;

  constructor(hub: TestHub) {
    this.hub = hub;
  }

  static async start(env: Record<string, string> = {}): Promise<LinkFixture> {
    return new LinkFixture(await startTestHub(env));
  }

  get address(): HubAddress {
    const { session, enrol } = this.hub.app.get(Listening);
    return { session: session!, enrol: enrol!, ca: this.keys.authority.pem };
  }

  get keys(): Keys {
    return this.hub.app.get(Keys, { strict: false });
  }

  get db() {
    return this.hub.database.db;
  }

  async token(name: string, options: Record<string, unknown> = {}): Promise<string> {
    const answer = await this.hub.request('POST', '/api/v1/join-tokens', {
      body: { name, autoApprove: true, ...options },
    });
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
    return answer.body.token as string;
  }

  /** An enrolled and approved agent that is not connected yet. */
  async agent(name: string, options: Record<string, unknown> = {}): Promise<TestAgent> {
    const enrolment = new TestEnrolment(this.address, await this.token(name, options));
    const identity = enrolment.accepted(await enrolment.enroll());
    enrolment.close();
    return new TestAgent(this.address, identity, enrolment.kubeSystemUid);
  }

  /** The same with an open session. */
  async connected(name: string): Promise<TestAgent> {
    const agent = await this.agent(name);
    agent.connect();
    await eventually(() => expect(agent.welcome).toBeDefined());
    return agent;
  }

  async cluster(name: string) {
    return (await this.hub.request('GET', `/api/v1/clusters/${name}`)).body;
  }

  async clusterId(name: string): Promise<string> {
    const row = await this.db
      .selectFrom('clusters')
      .select('id')
      .where('name', '=', name)
      .executeTakeFirstOrThrow();
    return row.id;
  }

  /** What the pipeline would have stored: a sealed bundle and a signed assignment of it. */
  async assign(
    clusterName: string,
    application: string,
    objects: unknown[] = [],
    action: 'apply' | 'orphan' | 'uninstall' = 'apply',
  ) {
    const clusterId = await this.clusterId(clusterName);
    const plain = Buffer.from(canonicalJson({ objects }));
    const digest = createHash('sha256').update(plain).digest('hex');
    const stored = zstdCompressSync(plain);
    const sealer = this.hub.app.get(Sealer);
    await this.db
      .insertInto('bundles')
      .values({
        digest,
        plain_size: plain.length,
        stored_sealed: sealer.seal(stored, `bundles/stored/${digest}`),
        stored_size: stored.length,
        object_count: objects.length,
      })
      .onConflict((c) => c.doNothing())
      .execute();
    await this.db.transaction().execute(async (trx) => {
      const epoch = await this.hub.app.get(RecoveryService, { strict: false }).signingEpoch(trx);
      const next = await sql<{
        generation: bigint;
      }>`select nextval('assignment_generation') as generation`.execute(trx);
      const { generation } = next.rows[0]!;
      const content = Assignment.fromPartial({
        hubId: this.keys.hubId,
        version: { epoch, generation },
        clusterId,
        applicationNamespace: 'argocd',
        applicationName: application,
        action: { apply: Action.APPLY, orphan: Action.ORPHAN, uninstall: Action.UNINSTALL }[action],
        ...(action === 'apply' ? { bundleDigest: digest, bundleSize: BigInt(plain.length) } : {}),
      });
      const signed = this.keys.sign(
        'muster.assignment.v1',
        Assignment.encode(content).finish(),
        'assignment',
      );
      const row = {
        epoch,
        generation,
        action,
        payload: signed.payload,
        signature: signed.signature,
        key_id: signed.keyId,
        payload_sha256: payloadSha256(signed),
        assignment_digest: assignmentDigest(content),
        bundle_digest: action === 'apply' ? digest : null,
        acked_at: null,
        refused: null,
      };
      await trx
        .insertInto('assignments')
        .values({
          cluster_id: clusterId,
          application_namespace: 'argocd',
          application_name: application,
          application_id: crypto.randomUUID(),
          ...row,
        })
        .onConflict((c) =>
          c.columns(['cluster_id', 'application_namespace', 'application_name']).doUpdateSet(row),
        )
        .execute();
      await sql`select pg_notify(${ASSIGNMENTS_CHANNEL}, ${clusterId})`.execute(trx);
    });
    return { digest, stored };
  }

  status(agent: TestAgent, application: string, change: Partial<ApplicationStatus> = {}): ApplicationStatus {
    const held = agent.link.held.get(`argocd/${application}`)!.assignment;
    return ApplicationStatus.fromPartial({
      applicationNamespace: 'argocd',
      applicationName: application,
      version: held.version,
      bundleDigest: held.bundleDigest,
      sync: 'Synced',
      health: 'Healthy',
      observedAtMs: BigInt(Date.now()),
      appliedDigest: held.bundleDigest,
      appliedAtMs: BigInt(Date.now() - 1000),
      appliedVersion: held.version,
      resources: [{ kind: 'ConfigMap', version: 'v1', namespace: 'default', name: 'c', sync: 'Synced' }],
      resourcesComplete: true,
      ...change,
    });
  }

  stop(): Promise<void> {
    return this.hub.stop();
  }
}
