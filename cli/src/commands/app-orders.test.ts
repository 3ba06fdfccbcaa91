import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../program.ts';
import { recordingTerminal } from '../testing/terminal.ts';

const silent = { cluster: 'dev', since: '2026-01-01T00:00:00Z', expiresAt: '2026-01-01T01:00:00Z' };
const asked: string[] = [];
let started: object;
const deployment = {
  group: 'apps',
  kind: 'Deployment',
  namespace: 'shop',
  name: 'web',
  uid: 'u1',
  managed: true,
  actions: ['restart', 'scale', 'delete', 'promote', 'promote-full', 'abort', 'retry', 'pause', 'resume'],
};
let revisions: object[] = [];
let hub: string;

// The hub's end, with an agent that answers at once.
const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  asked.push(`${request.method} ${request.url?.split('?', 1)[0]}`);
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify(request.method === 'DELETE' ? {} : answerTo(request.url!)));
});
function answerTo(url: string): object {
  if (url.includes('/tree')) return { nodes: [deployment] };
  if (url.includes('/commands/'))
    return { id: 'c1', outcome: 'succeeded', message: 'dry run: 2 would be changed' };
  if (url.includes('/revisions/')) return revisions.shift() ?? {};
  if (url.includes('/events')) return {};
  if (!url.endsWith('/applications/argocd/web')) return started;
  return { namespace: 'argocd', name: 'web', sync: 'Synced', health: 'Healthy', conditions: [], source: {} };
}
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  hub = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());
beforeEach(() => {
  asked.length = 0;
  started = { command: 'c1' };
});

async function muster(...args: string[]) {
  const terminal = recordingTerminal();
  const environment = { configFile: '/nowhere', mayColour: false, hub, token: 't' };
  const code = await main(args, { terminal, environment, signal: new AbortController().signal });
  return { code, out: terminal.output, notes: terminal.notes };
}

describe('a dry run', () => {
  it('says what would be done, without being told to wait', async () => {
    expect(await muster('app', 'sync', 'web', '--dry-run')).toEqual({
      code: 0,
      out: 'application/argocd/web checked: dry run: 2 would be changed\n',
      notes: '',
    });
  });

  it('is not waited for where nobody wants it', async () => {
    const { out } = await muster('app', 'sync', 'web', '--dry-run', '--no-wait');
    expect(out).toBe('application/argocd/web dry run asked for (command c1)\n');
    expect((await muster('app', 'sync', 'web')).out).toContain('sync asked for');
    expect(asked.filter((each) => each.includes('commands'))).toEqual([]);
  });
});

describe('a wait for a commit', () => {
  it('ends when the hub says that the Application is there, and says how', async () => {
    const message = 'at abcdef1, which is beyond 1234567';
    revisions = [{ reached: true, how: 'contained', message }];
    expect(await muster('app', 'wait', 'web', '--revision', '1234567890')).toMatchObject({
      code: 0,
      out: `application/argocd/web Synced Healthy (${message})\n`,
    });
    expect(asked).toContain('GET /api/v1/applications/argocd/web/revisions/1234567890');
  });

  it('says where the commit stands when the time is up', async () => {
    const unseen = { reached: false, how: 'unseen', message: 'the hub has not seen 1234567 yet' };
    revisions = Array.from({ length: 100 }, () => unseen);
    const { code, notes } = await muster('app', 'wait', 'web', '--revision', '1234567890', '--timeout', '1s');
    expect(code).toBe(1);
    expect(notes).toContain('argocd/web (the hub has not seen 1234567 yet)');
  });
});

describe('an order to a silent cluster', () => {
  it.each([['sync'], ['terminate'], ['confirm'], ['refresh']])(
    'says so beside %s, and in its JSON',
    async (act) => {
      started = { command: 'c1', silent };
      expect(await muster('app', act, 'web')).toMatchObject({
        code: 0,
        notes: expect.stringMatching(/^the agent of dev has been silent since 2026-01-01T00:00:00Z: .*\n$/),
      });
      const { out, notes } = await muster('app', act, 'web', '-o', 'json');
      expect(JSON.parse(out)).toEqual([{ application: 'argocd/web', command: 'c1', silent }]);
      expect(notes).toContain('silent');
    },
  );

  it('says so before it waits', async () => {
    started = { command: 'c1', silent };
    const { out, notes } = await muster('app', 'sync', 'web', '--wait', '-o', 'json');
    expect(JSON.parse(out)).toMatchObject([{ silent, outcome: 'succeeded' }]);
    expect(notes).toContain('silent since');
  });
});

describe('what is asked of one object', () => {
  const acts: [string, string[]][] = [
    ['restart', ['restart', 'web']],
    ['scale', ['scale', 'web', '--replicas', '3']],
    ['delete', ['delete-resource', 'web', '--resource', 'Deployment/web']],
    ['promote', ['promote', 'web']],
    ['promote-full', ['promote', 'web', '--full']],
    ['abort', ['abort', 'web']],
    ['retry', ['retry', 'web']],
    ['pause', ['pause', 'web']],
    ['resume', ['resume', 'web']],
    ['restart', ['action', 'run', 'web', 'restart']],
  ];
  const SHOWN = 'Deployment.apps/shop/web';
  const order = { application: 'argocd/web', resource: SHOWN, command: 'c1' };

  it.each(acts)('is printed as JSON and YAML, waited for or not: %s', async (action, command) => {
    const asked = await muster('app', ...command, '--no-wait', '-o', 'json');
    expect([JSON.parse(asked.out), asked.code]).toEqual([[{ ...order, action }], 0]);
    const { out } = await muster('app', ...command, '-o', 'yaml');
    expect(out).toBe(
      `- application: argocd/web\n  resource: ${SHOWN}\n  action: ${action}\n  command: c1\n  outcome: succeeded\n  message: 'dry run: 2 would be changed'\n`,
    );
  });

  it('is a line without them, or a name', async () => {
    const line = `${SHOWN} restart asked for (command c1)\n`;
    expect((await muster('app', 'restart', 'web', '--no-wait')).out).toBe(line);
    expect((await muster('app', 'restart', 'web', '-o', 'name')).out).toBe(`${SHOWN}\n`);
  });

  it('of a silent cluster says so', async () => {
    started = { command: 'c1', silent };
    const { out, notes } = await muster('app', 'restart', 'web', '--no-wait', '-o', 'json');
    expect(JSON.parse(out)).toMatchObject([{ silent }]);
    expect(notes).toContain('silent since');
  });
});

describe('a removal', () => {
  it.each([
    [['delete', 'web'], [{ application: 'argocd/web' }], 'application/argocd/web deleted'],
    [['restore', 'web'], [{ application: 'argocd/web' }], 'application/argocd/web restored'],
    [
      ['approve-deletions', 'web'],
      { application: 'argocd/web', approved: 2 },
      'application/argocd/web 2 deletions approved',
    ],
  ])('is printed as JSON, too: %j', async (command, expected, line) => {
    started = command[0] === 'approve-deletions' ? { approved: 2 } : {};
    expect(JSON.parse((await muster('app', ...command, '-o', 'json')).out)).toEqual(expected);
    expect((await muster('app', ...command)).out).toBe(`${line}\n`);
  });
});
