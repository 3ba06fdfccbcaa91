import { execFile } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type Json, parseDocuments } from '@muster/base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesIn } from './directory.ts';
import { loadRenderer } from './load.ts';
import { RendererPool } from './pool.ts';

const charts = fileURLToPath(new URL('../testdata/charts', import.meta.url));
const tools = pathToFileURL(fileURLToPath(new URL('../../tools/go-tools.mjs', import.meta.url))).href;

let helm: string;
let pool: RendererPool;
beforeAll(async () => {
  const { ensureGoTool } = (await import(tools)) as { ensureGoTool(name: string): Promise<string> };
  helm = await ensureGoTool('helm');
  pool = new RendererPool(await loadRenderer());
  await pool.ready();
}, 600_000);
afterAll(() => pool.close());

/** What `helm template` prints, as objects; a List's items stand for it, as kubectl and Argo CD take it. */
async function template(chart: string, flags: string[]): Promise<Json[]> {
  const { stdout } = await promisify(execFile)(
    helm,
    ['template', 'web', '.', '--namespace', 'shop', '--include-crds', ...flags],
    { cwd: `${charts}/${chart}`, maxBuffer: 64 * 2 ** 20 },
  );
  return parseDocuments(stdout).flatMap(({ value }) => {
    const items = (value as { items?: Json[] } | null)?.items;
    return items ?? (value === null ? [] : [value]);
  });
}

async function render(chart: string, source: object): Promise<Json[]> {
  const { objects } = await pool.render({
    source: { kind: 'helm', path: chart, releaseName: 'web', namespace: 'shop', ...source },
    files: filesIn(charts),
    clock: 0,
    seed: new Uint8Array(32),
  });
  return objects.map(({ object }) => object);
}

describe('the same objects in the same order as `helm template`', () => {
  it.each([
    ['shop', [], {}],
    ['shop', ['-f', 'values-prod.yaml'], { valueFiles: ['values-prod.yaml'] }],
    [
      'shop',
      [
        '--kube-version',
        '1.26.3',
        '-a',
        'x.io/v1',
        '--set',
        'service.port=81,env.A=x\\,y',
        '--set-string',
        'image.tag=1',
      ],
      {
        kubeVersion: '1.26.3',
        apiVersions: ['x.io/v1'],
        parameters: [
          { name: 'service.port', value: '81' },
          { name: 'env.A', value: 'x,y' },
          { name: 'image.tag', value: '1', forceString: true },
        ],
      },
    ],
    [
      'shop',
      ['--skip-tests', '--set-file', 'env.INI=files/shop.ini'],
      { skipTests: true, fileParameters: [{ name: 'env.INI', path: 'files/shop.ini' }] },
    ],
    ['platform', [], {}],
    [
      'platform',
      ['--set', 'invoices.enabled=false,tags.caching=false'],
      { valuesObject: { invoices: { enabled: false }, tags: { caching: false } } },
    ],
    ['corners', [], {}],
    ['corners', ['--set', 'derive=true'], { parameters: [{ name: 'derive', value: 'true' }] }],
  ])('of %s %j', async (chart, flags, source) => {
    const [ours, theirs] = await Promise.all([render(chart, source), template(chart, flags)]);
    expect(theirs.length).toBeGreaterThan(1);
    expect(ours).toEqual(theirs);
  });

  it('and the same refusals', async () => {
    const wrong = { values: 'replicaCount: many' };
    await expect(render('shop', wrong)).rejects.toThrow(/at '\/replicaCount': got string, want integer/);
    await expect(template('shop', ['--set', 'replicaCount=many'])).rejects.toThrow(
      /at '\/replicaCount': got string, want integer/,
    );
  });
});
