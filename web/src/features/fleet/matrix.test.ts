import type { ApplicationSetView } from '@muster/api';
import { describe, expect, it } from 'vitest';
import { application } from '../applications/sample.fixture.ts';
import { cluster } from '../clusters/sample.fixture.ts';
import { buildMatrix, filterMatrix } from './matrix.ts';

const set = (name: string, namespace = 'argocd'): ApplicationSetView => ({
  namespace,
  name,
  project: 'default',
  applications: 0,
  leaving: 0,
  held: 0,
  deleting: false,
  conditions: [],
  createdAt: '',
  updatedAt: '',
});
const keys = (list: { key: string }[]) => list.map(({ key }) => key);

describe('the matrix of clusters and sets', () => {
  it('shows clusters and sets by name, also those that have no Application', () => {
    const matrix = buildMatrix([cluster('prod'), cluster('dev')], [set('web'), set('api')], [application()]);
    expect(keys(matrix.rows)).toEqual(['dev', 'prod']);
    expect(matrix.columns.map(({ title, total }) => [title, total])).toEqual([
      ['api', 0],
      ['web', 1],
    ]);
  });

  it('puts Applications without a set into one column, and those without a cluster into a row of their own', () => {
    const lost = application({
      set: undefined,
      destination: { server: 'https://gone:6443', namespace: 'x' },
    });
    const matrix = buildMatrix([cluster('prod')], [], [lost]);
    expect(matrix.columns).toMatchObject([{ key: '', title: 'Standalone' }]);
    expect(keys(matrix.rows)).toEqual(['prod', 'https://gone:6443']);
  });

  it('shows the most urgent first where a cell holds several', () => {
    const broken = application({ name: 'web-b', health: 'Degraded' });
    const [row] = buildMatrix([cluster('prod')], [set('web')], [application(), broken]).rows;
    expect(row!.cells.get('argocd/web')![0]).toBe(broken);
    expect(row!.attention).toBe(1);
  });

  it('names sets in full when two namespaces have them', () => {
    const { columns } = buildMatrix([], [set('web'), set('web', 'team')], []);
    expect(columns.map(({ title }) => title)).toEqual(['argocd/web', 'team/web']);
  });
});

describe('filters of the matrix', () => {
  const matrix = buildMatrix(
    [
      cluster('prod-eu', { labels: { env: 'prod' } }),
      cluster('prod-us', { labels: { env: 'prod' }, connection: 'silent' }),
      cluster('dev', { labels: { env: 'dev' }, state: 'pending' }),
    ],
    [set('web'), set('api')],
    [application({ cluster: 'prod-eu', sync: 'OutOfSync' }), application({ cluster: 'dev' })],
  );

  it('look for words in names and labels', () => {
    expect(keys(filterMatrix(matrix, { q: 'env=prod EU' }).rows)).toEqual(['prod-eu']);
  });

  it('keep rows with a state, a connection or a reason to look', () => {
    expect(keys(filterMatrix(matrix, { sync: 'OutOfSync' }).rows)).toEqual(['prod-eu']);
    expect(keys(filterMatrix(matrix, { connection: 'silent' }).rows)).toEqual(['prod-us']);
    expect(keys(filterMatrix(matrix, { attention: true }).rows)).toEqual(['dev', 'prod-eu', 'prod-us']);
    expect(filterMatrix(matrix, { set: 'argocd/web', sync: 'Unknown' })).toMatchObject({
      columns: [{ title: 'web' }],
      rows: [],
    });
  });
});
