import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../src/index.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { application, configMap } from './testing/documents.ts';
import { Intruder, type StolenIdentity, enroll, stealIdentity } from './testing/intruder.ts';

let fleet: Fleet;
let stolen: StolenIdentity;

beforeAll(async () => {
  fleet = await startFleet({ namespaces: { staging: ['team-a', 'team-b'] } });
  await fleet.repository.commit({ 'app/a.yaml': configMap('settings', { value: 'trusted' }) }, 'trusted');
  const { url } = fleet.repository;
  await fleet.apply(
    application(url, 'on-dev', { on: 'dev', path: 'app' }),
    application(url, 'on-prod', { on: 'prod', path: 'prod-only' }),
  );
  await fleet.repository.commit({ 'prod-only/a.yaml': configMap('secret-plan', { a: '1' }) }, 'for prod');
  await fleet.synced(['on-dev', 'on-prod']);
  stolen = await stealIdentity(fleet.member('dev').plane.kubeconfig);
});
afterAll(() => fleet?.stop());

const like = (pattern: RegExp) => expect.stringMatching(pattern) as string;
const bundleOf = async (name: string) => (await fleet.client.applications.manifests('argocd', name)).bundle!;
const clusterId = async (name: string) => (await fleet.cluster(name)).id;
const valueOnDev = async () =>
  (await fleet.kube('dev').get('v1/ConfigMap', 'on-dev/settings')).data.value as string;

/** Changes what dev is assigned while its agent is away, does something to it, and lets the agent come back. */
async function whileDevIsAway(value: string, tamper: () => Promise<void>): Promise<void> {
  await fleet.member('dev').agent.stop();
  const sha = await fleet.repository.commit({ 'app/a.yaml': configMap('settings', { value }) }, value);
  await fleet.until('on-dev', `to be assigned ${sha}`, ({ revision }) => revision?.commit === sha);
  await eventually(
    async () =>
      (await fleet.sql("select 1 from assignments where application_name = 'on-dev' and acked_at is null"))
        .length === 1,
    { what: 'the new assignment of on-dev' },
  );
  await tamper();
  await fleet.startAgent('dev');
}

async function recovers(value: string): Promise<void> {
  const sha = await fleet.repository.commit({ 'app/a.yaml': configMap('settings', { value }) }, value);
  await fleet.synced('on-dev', sha);
  expect(await valueOnDev()).toBe(value);
}

describe('an agent that is limited to some namespaces', () => {
  it('says so, works in them, and refuses the others in words', async () => {
    expect((await fleet.cluster('staging')).namespaces.sort()).toEqual(['team-a', 'team-b']);
    const { url } = fleet.repository;
    // Not what dev runs: the hub would have that bundle in memory when it is altered in the database.
    await fleet.push({ 'limited/a.yaml': configMap('settings', { value: 'limited' }) }, 'limited');
    const policy = { automated: { prune: true, selfHeal: true } };
    const into = (namespace: string) =>
      application(url, `in-${namespace}`, { on: 'staging', path: 'limited', namespace, syncPolicy: policy });
    await fleet.apply(into('team-a'), into('default'));
    await fleet.synced('in-team-a');
    await fleet.until('in-default', 'to be denied', ({ conditions }) =>
      conditions.some(({ type, message }) => type === 'NamespaceDenied' && message.includes('default')),
    );
    expect(await fleet.kube('staging').find('v1/ConfigMap', 'default/settings')).toBeUndefined();
  });

  it('has no rights beyond them', async () => {
    const { access } = fleet.member('staging').installed;
    const agent = fleet.kube('staging').withToken(access.token!);
    expect(await agent.list('v1/ConfigMap', 'team-b')).toBeInstanceOf(Array);
    await expect(agent.list('v1/Secret', 'kube-system')).rejects.toMatchObject({ status: 403 });
    await expect(agent.list('v1/Secret')).rejects.toMatchObject({ status: 403 });
    await agent.close();
  });
});

describe('the certificate of one cluster', () => {
  it('downloads its own bundles, and none of another cluster', async () => {
    const dev = new Intruder(fleet.hub.listening.session, stolen);
    expect((await dev.download(await bundleOf('on-dev'))).length).toBeGreaterThan(0);
    await expect(dev.download(await bundleOf('on-prod'))).rejects.toThrow(/no bundle with this digest/);
    await expect(dev.download(randomBytes(32).toString('hex'))).rejects.toThrow(/no bundle with this digest/);
    dev.close();
  });

  it('opens a session that carries its own assignments only', async () => {
    const dev = new Intruder(fleet.hub.listening.session, stolen);
    const seen = await dev.assignments((some) => some.length > 0);
    expect(seen.map((one) => [one.applicationName, one.clusterId])).toEqual([
      ['on-dev', await clusterId('dev')],
    ]);
    dev.close();
    await fleet.connected('dev');
  });

  it('is needed: without one the gateway answers nothing', async () => {
    const nobody = new Intruder(fleet.hub.listening.session, stolen, { certificate: false });
    await expect(nobody.download(await bundleOf('on-dev'))).rejects.toThrow();
    nobody.close();
  });

  it('of which it is revoked, opens nothing', async () => {
    const identity = await stealIdentity(fleet.member('staging').plane.kubeconfig);
    await fleet.client.clusters.revokeCertificates('staging');
    const revoked = new Intruder(fleet.hub.listening.session, identity);
    await expect(revoked.assignments(() => true)).rejects.toThrow(/revoked/);
    revoked.close();
  });
});

describe('what is altered in the database', () => {
  it('is refused by the agent and shown: an assignment', async () => {
    await whileDevIsAway('altered', async () => {
      await fleet.sql(
        "update assignments set payload = set_byte(payload, 20, get_byte(payload, 20) # 1) where application_name = 'on-dev'",
      );
    });
    await fleet.condition('on-dev', /the agent refused the assignment.*signature/);
    expect(await valueOnDev()).toBe('trusted');
    await recovers('after the assignment');
  });

  it('is refused and shown: a bundle', async () => {
    await whileDevIsAway('other bundle', async () => {
      await fleet.sql(
        'update bundles set stored_sealed = set_byte(stored_sealed, 60, get_byte(stored_sealed, 60) # 1) where digest = $1',
        [await bundleOf('on-dev')],
      );
    });
    await fleet.condition('on-dev', /bundle/i);
    expect(await valueOnDev()).toBe('after the assignment');
    await recovers('after the bundle');
  });

  it('is refused and shown: a command', async () => {
    await fleet.member('dev').agent.stop();
    const { command } = await fleet.client.applications.sync('argocd', 'on-dev');
    await fleet.sql(
      'update commands set payload = set_byte(payload, 20, get_byte(payload, 20) # 1) where id = $1',
      [command],
    );
    await fleet.startAgent('dev');
    expect(await fleet.client.command(command, 60)).toMatchObject({
      outcome: 'refused',
      message: like(/signature/),
    });
  });
});

describe('what is replayed to another cluster', () => {
  it('is refused by the agent and shown: an assignment', async () => {
    await fleet.sql(
      `insert into assignments
       select (jsonb_populate_record(a, jsonb_build_object('cluster_id', $1::text, 'acked_at', null))).*
       from assignments a where application_name = 'on-dev'`,
      [await clusterId('prod')],
    );
    await fleet.member('prod').agent.stop();
    await fleet.startAgent('prod');
    const refused = await eventually(
      async () =>
        (
          await fleet.sql<{ refused: string }>(
            "select refused from assignments where application_name = 'on-dev' and cluster_id = $1 and refused is not null",
            [await clusterId('prod')],
          )
        )[0],
      { what: 'the agent of prod to refuse' },
    );
    expect(refused.refused).toMatch(/for cluster .*, not for this one/);
    const { items } = await fleet.client.audit({ object: 'cluster/prod' });
    expect(items.map(({ reason, details }) => JSON.stringify([reason, details])).join()).toMatch(
      /not for this one/,
    );
    expect(await fleet.kube('prod').find('v1/ConfigMap', 'on-dev/settings')).toBeUndefined();
    await fleet.sql("delete from assignments where application_name = 'on-dev' and cluster_id = $1", [
      await clusterId('prod'),
    ]);
  });

  it('is refused by the agent and shown: a command', async () => {
    await fleet.member('dev').agent.stop();
    const { command } = await fleet.client.applications.sync('argocd', 'on-dev');
    await fleet.sql('update commands set cluster_id = $1 where id = $2', [await clusterId('prod'), command]);
    await fleet.member('prod').agent.stop();
    await fleet.startAgent('prod');
    expect(await fleet.client.command(command, 60)).toMatchObject({
      outcome: 'refused',
      message: like(/for another cluster/),
    });
    await fleet.startAgent('dev');
    await fleet.connected('dev', 'prod');
  });
});

describe('a join token', () => {
  const tryToken = (token: string) => enroll(fleet.hub.listening.enrol, stolen.ca, token);

  it('is good for one use', async () => {
    const { token } = await fleet.invite('once');
    expect((await tryToken(token)).enrollmentId).not.toBe('');
    await expect(tryToken(token)).rejects.toThrow(/used/);
  });

  it('expires, and may be revoked', async () => {
    const expired = await fleet.invite('late', { expiresInSeconds: 1 });
    await eventually(() => Date.now() > Date.parse(expired.expiresAt), { what: 'the token to expire' });
    await expect(tryToken(expired.token)).rejects.toThrow(/expired/);
    const revoked = await fleet.invite('unwanted');
    await fleet.client.joinTokens.revoke(revoked.id);
    await expect(tryToken(revoked.token)).rejects.toThrow(/revoked/);
  });

  it('without auto-approve makes a pending cluster that gets nothing until it is approved', async () => {
    const { token } = await fleet.invite('waiting', { autoApprove: false });
    const answer = await tryToken(token);
    expect(answer.identity).toBeUndefined();
    expect(await fleet.cluster('waiting')).toMatchObject({ state: 'pending', connection: 'never' });
    expect((await fleet.client.clusters.approve('waiting')).state).toBe('active');
  });

  // Last: this address is not listened to for a minute.
  it('cannot be guessed', async () => {
    const guess = () =>
      tryToken(`mjt_${randomBytes(32).toString('base64url')}`).then(
        () => 'let in',
        (error: Error) => error.message,
      );
    const answers: string[] = [];
    for (let i = 0; i < 12; i++) answers.push(await guess());
    expect(answers[0]).toMatch(/not a join token of this hub/);
    expect(answers.at(-1)).toMatch(/too many wrong join tokens/);
  });
});
