// Packs the charts into charts/dist with an index, as a Helm repository: what the hub serves at /charts.
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { capture, root } from './context.ts';

interface Entry {
  apiVersion: string;
  name: string;
  version: string;
  appVersion: string;
  description: string;
  type: string;
  urls: string[];
  digest: string;
  created: string;
}

/** Packs every chart of `charts/`; answers the folder. */
export async function packCharts(): Promise<string> {
  const folder = join(root, 'charts', 'dist');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const entries: Record<string, Entry[]> = {};
  for (const chart of await readdir(join(root, 'charts'), { withFileTypes: true })) {
    if (!chart.isDirectory() || chart.name === 'dist') continue;
    const meta = parse(await readFile(join(root, 'charts', chart.name, 'Chart.yaml'), 'utf8')) as Entry;
    const file = `${meta.name}-${meta.version}.tgz`;
    const packed = await capture('tar', ['-czf', join(folder, file), '-C', join(root, 'charts'), chart.name]);
    if (packed.code !== 0) throw new Error(`tar could not pack ${chart.name}: ${packed.output}`);
    const digest = createHash('sha256')
      .update(await readFile(join(folder, file)))
      .digest('hex');
    entries[meta.name] = [{ ...meta, urls: [file], digest, created: new Date().toISOString() }];
  }
  await writeFile(join(folder, 'index.yaml'), stringify({ apiVersion: 'v1', entries }));
  return folder;
}
