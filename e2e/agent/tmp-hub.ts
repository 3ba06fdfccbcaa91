import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, startControlPlane, startProcess } from '../src/index.ts';
import { startAgent } from './agent-process.ts';
const dir = await mkdtemp(join(tmpdir(), 'muster-hubtest-'));
console.log(dir);
const cluster = await startControlPlane({ name: 'dev', dir: join(dir, 'c') });
const data = join(dir, 'hub');
const hub = await startProcess({ name: 'hub', command: process.execPath, args: ['hub/dist/main.mjs'], log: join(dir, 'hub.log'), env: { MUSTER_DATA_DIR: data, MUSTER_HTTP_PORT: '0', MUSTER_SESSION_PORT: '0', MUSTER_ENROL_PORT: '0', MUSTER_ADMIN_PASSWORD: 'admin-password-1' } });
let agent: any;
try {
  const listening = await eventually(async () => JSON.parse(await readFile(join(data, 'listening.json'), 'utf8')), { what: 'hub', timeout: 60000 });
  console.log(listening);
  const base = typeof listening.http === 'string' ? (listening.http.startsWith('http') ? listening.http : `http://${listening.http}`) : `http://127.0.0.1:${listening.http}`;
  const login = await fetch(`${base}/api/v1/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: 'admin', username: 'admin', password: 'admin-password-1' }) });
  const cookie = login.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ');
  console.log('login', login.status, (await login.text()).slice(0, 300));
  const call = async (method: string, path: string, body?: unknown) => { const r = await fetch(base + path, { method, headers: { cookie, 'content-type': 'application/json', origin: base }, body: body ? JSON.stringify(body) : undefined }); const t = await r.text(); return { status: r.status, body: t ? JSON.parse(t) : undefined }; };
  const t = await call('POST', '/api/v1/join-tokens', { name: 'dev', autoApprove: true, labels: { env: 'dev' } });
  console.log('token', t.status, JSON.stringify(t.body).slice(0, 400));
  agent = await startAgent({ log: join(dir, 'agent.log'), env: { KUBECONFIG: cluster.kubeconfig, MUSTER_AGENT_HUB: listening.session, MUSTER_AGENT_ENROL: listening.enrol, MUSTER_AGENT_CA_SHA256: listening.caSha256, MUSTER_AGENT_TOKEN: t.body.token, MUSTER_AGENT_STORE: 'folder', MUSTER_AGENT_STATE_DIR: join(dir, 'state'), MUSTER_AGENT_LOG_LEVEL: 'debug' } });
  await eventually(async () => (await agent.tail(50)).includes('session open'), { what: 'session', timeout: 20000 }).catch((e: Error) => console.log(String(e).slice(0, 300)));
  console.log((await agent.tail(20)).slice(0, 3000));
  console.log(JSON.stringify((await call('GET', '/api/v1/clusters/dev')).body, null, 1).slice(0, 1200));
  const app = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', metadata: { name: 'x', namespace: 'argocd' }, spec: {} };
  void app;
} finally {
  await agent?.stop(); console.log(await hub.tail(5).then((s: string) => s.slice(0, 1500))); await hub.stop(); await cluster.stop();
}
process.exit(0);
