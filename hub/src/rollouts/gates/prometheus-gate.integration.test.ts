import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PrometheusCheck } from '@muster/rollout';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AsksService } from '../../asks/asks.service.ts';
import { CertificateAuthority } from '../../keys/certificate-authority.ts';
import { createCa } from '../../keys/certificates.ts';
import type { MeasuredTarget } from './gates.repository.ts';
import { measurePrometheus } from './prometheus-gate.ts';
import { MetricsPage, type Prometheus, prometheusProblem, prometheusTool } from './prometheus.fixture.ts';

const problem = await prometheusProblem();
if (problem) console.warn(`without a real Prometheus: ${problem}`);

describe.skipIf(problem)('a real Prometheus', () => {
  const page = new MetricsPage();
  let prometheus: Prometheus;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'muster-prometheus-gate-'));
    page.series.set('errors{app="web-a"}', 0).set('errors{app="web-b"}', 0.5);
    for (let i = 0; i < 1001; i++) page.series.set(`many{i="${i}"}`, 1);
    const { startPrometheus } = await prometheusTool();
    prometheus = await startPrometheus({ scrape: { shop: await page.listen() } });
    while ((await ask('errors')).detail === 'the query answers no data') await sleep(50);
  });
  afterAll(async () => {
    await prometheus?.stop();
    page.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const check = (query: string, more: Partial<PrometheusCheck> = {}): PrometheusCheck => ({
    kind: 'prometheus',
    query,
    conditions: [{ operator: '<', value: 0.01 }],
    from: 'hub',
    service: null,
    noData: 'unknown',
    intervalMs: 1000,
    failures: 0,
    successes: 1,
    answerMs: 5000,
    timeoutMs: 60_000,
    ...more,
  });
  const target = (name: string) =>
    ({
      clusterId: name,
      cluster: name,
      clusterLabels: {},
      namespace: 'argocd',
      name: `web-${name}`,
    }) as MeasuredTarget;
  const ask = (query: string, more: Partial<PrometheusCheck> = {}, settings: object = {}) => {
    const config = { prometheusUrl: prometheus.url, ...settings } as Parameters<
      typeof measurePrometheus
    >[2]['config'];
    const by = { config, asks: undefined as unknown as AsksService };
    return measurePrometheus(check(query, more), ['a', 'b'].map(target), by, new AbortController().signal);
  };

  it('is good where every series meets the condition, and bad by those that do not', async () => {
    expect(await ask('sum by (app) (errors{app="web-a"})')).toEqual({
      verdict: 'ok',
      detail: '0{app="web-a"}',
    });
    expect(await ask('sum by (app) (errors)')).toEqual({
      verdict: 'bad',
      detail: '0.5{app="web-b"} (1 of 2), not < 0.01',
    });
    expect(await ask('count(many)', { conditions: [{ operator: '==', value: 1001 }] })).toEqual({
      verdict: 'ok',
      detail: '1001',
    });
  });

  it('is asked for each cluster, and the bad one is named', async () => {
    const one = 'sum by (app) (errors{app="{{application.name}}"})';
    expect(await ask(one)).toEqual({ verdict: 'bad', detail: 'b: 0.5{app="web-b"}, not < 0.01' });
    expect(await ask(one, { conditions: [{ operator: '<', value: 1 }] })).toEqual({
      verdict: 'ok',
      detail: 'a: 0{app="web-a"}; b: 0.5{app="web-b"}',
    });
  });

  it('knows nothing where there is no data or only NaN, unless the policy says what that means', async () => {
    for (const noData of ['unknown', 'bad', 'ok'] as const) {
      expect(await ask('absent_total', { noData })).toEqual({
        verdict: noData,
        detail: 'the query answers no data',
      });
      expect(await ask('0 / 0', { noData })).toEqual({ verdict: noData, detail: 'the query answers NaN' });
      expect(await ask('scalar(absent_total)', { noData })).toEqual({
        verdict: noData,
        detail: 'the query answers NaN',
      });
    }
    // 0/0 for web-a; what is a number counts.
    expect(await ask('sum by (app) (errors / errors)')).toEqual({
      verdict: 'bad',
      detail: '1{app="web-b"}, not < 0.01',
    });
    expect(await ask('1 / 0')).toEqual({ verdict: 'bad', detail: 'Infinity, not < 0.01' });
  });

  it('says in its own words what is wrong with a query', async () => {
    const words = async (query: string) => {
      const { verdict, detail } = await ask(query);
      expect(verdict).toBe('unknown');
      return detail;
    };
    expect(await words('errors{')).toMatch(
      /^Prometheus refused the query: .*parse error: unexpected end of input/,
    );
    expect(await words('errors + on() errors')).toMatch(
      /refused the query: found duplicate series .*many-to-many/,
    );
    expect(await words('errors[1m]')).toBe('the query answers neither a number nor a vector of them');
    expect(await words('"text"')).toBe('the query answers neither a number nor a vector of them');
    expect(await words('many')).toBe('the query answers more than 1000 numbers');
  });

  it('is not known while it is slow, hangs or is away, and known again after that', async () => {
    const quick = { answerMs: 1000 };
    const slow = await ask('max_over_time(sin(vector(time()))[40000s:1ms])', quick);
    expect(slow.verdict).toBe('unknown');
    expect(slow.detail).toMatch(/query timed out|no answer within 1 s/);
    prometheus.pause();
    expect(await ask('1', quick)).toEqual({
      verdict: 'unknown',
      detail: 'Prometheus cannot be asked: no answer within 1 s',
    });
    prometheus.resume();
    await prometheus.down();
    expect(await ask('1', quick)).toEqual({
      verdict: 'unknown',
      detail: 'Prometheus cannot be asked: no connection (ECONNREFUSED)',
    });
    await prometheus.up();
    expect(await ask('1', { conditions: [{ operator: '==', value: 1 }] })).toEqual({
      verdict: 'ok',
      detail: '1',
    });
  });

  it('lets in who has its password, over a certificate of the CA that the hub is told', async () => {
    const ca = await createCa('prometheus');
    const authority = await CertificateAuthority.open({ caCertificate: ca.certificate, caKey: ca.key });
    const server = await authority.issueServer(['127.0.0.1']);
    const file = (name: string, content: string) => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const { startPrometheus } = await prometheusTool();
    const secured = await startPrometheus({
      web: {
        tls_server_config: {
          cert_file: file('tls.crt', server.certificate),
          key_file: file('tls.key', server.key),
        },
        // bcrypt of "pass word".
        basic_auth_users: { ada: '$2a$05$Dxvn.f.QZ0.C40nP8zg.TONY9zJAq7kyXGPjrrTJlizAAudKcgani' },
      },
    });
    try {
      const trusted = { prometheusUrl: secured.url, prometheusCaFile: file('ca.crt', ca.certificate) };
      const as = (password: string) => ({
        ...trusted,
        prometheusUser: 'ada',
        prometheusPasswordFile: file('password', password),
      });
      expect(await ask('vector(0)', {}, as('pass word\n'))).toEqual({ verdict: 'ok', detail: '0' });
      expect((await ask('vector(0)', {}, as('wrong'))).detail).toBe('Prometheus answered 401, and no JSON');
      expect((await ask('vector(0)', {}, trusted)).detail).toBe('Prometheus answered 401, and no JSON');
      expect((await ask('vector(0)', {}, { prometheusUrl: secured.url })).detail).toMatch(
        /^Prometheus cannot be asked: no connection \(\w*CERT\w*\)$/,
      );
      // Below another path it has no API.
      expect((await ask('1', {}, { prometheusUrl: `${prometheus.url}/elsewhere` })).detail).toBe(
        'Prometheus answered 404, and no JSON',
      );
    } finally {
      await secured.stop();
    }
  });

  it('that is none, or says too much, is not known', async () => {
    // Played: a real one neither talks nonsense nor without end.
    let body = '';
    const server = createServer((_, response) => response.writeHead(200).end(body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const prometheusUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const said = async (text: string) => {
      body = text;
      const { verdict, detail } = await ask('1', {}, { prometheusUrl });
      expect(verdict).toBe('unknown');
      return detail;
    };
    try {
      expect(await said('<html>')).toBe('Prometheus answered 200, and no JSON');
      expect(await said('null')).toBe('Prometheus refused the query');
      expect(await said('{"status":"success"}')).toBe(
        'the query answers neither a number nor a vector of them',
      );
      expect(await said('x'.repeat(2 * 1024 * 1024))).toBe(
        'the answer of Prometheus is longer than 1048576 bytes',
      );
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});
