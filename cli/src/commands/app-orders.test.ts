import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../program.ts';
import { recordingTerminal } from '../testing/terminal.ts';

const silent = { cluster: 'dev', since: '2026-01-01T00:00:00Z', expiresAt: '2026-01-01T01:00:00Z' };
const asked: string[] = [];
let started: object;
let revisions: object[] = [];
let hub: string;

// The hub's end, with an agent that answers at once.
const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  asked.push(`${request.method} ${request.url?.split('?', 1)[0]}`);
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answerTo(request.url!)));
});
function answerTo(url: string): object {
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
