import { describe, expect, it } from 'vitest';
import { type ActionForm, actionText, actionTitle, missingIn, parametersOf } from './action-texts.ts';
import { containersOf } from './containers.ts';
import { placeOf, readKey } from './object-key.ts';

const web = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' };
const claim = { group: '', kind: 'PersistentVolumeClaim', namespace: 'shop', name: 'data' };
const form = (change: Partial<ActionForm> = {}): ActionForm => ({
  reason: '',
  replicas: '',
  propagation: 'Background',
  force: false,
  data: false,
  typed: '',
  ...change,
});

describe('an object', () => {
  it('is read from its key, and other texts are none', () => {
    expect(readKey('apps/Deployment/shop/web')).toEqual(web);
    expect(placeOf(readKey('/Namespace//shop')!)).toBe('shop');
    for (const text of ['', 'web', '/Pod/shop', '/Pod/shop/', '/Pod/shop/web/log', '//shop/web'])
      expect(readKey(text), text).toBeUndefined();
  });

  it('tells its containers: of a Pod, of a template, of the template of a CronJob', () => {
    const pod = { containers: [{ name: 'web' }], initContainers: [{ name: 'wait' }] };
    expect(containersOf({ kind: 'Pod', spec: pod })).toEqual(['web', 'wait']);
    expect(containersOf({ kind: 'Deployment', spec: { template: { spec: pod } } })).toEqual(['web', 'wait']);
    const cron = { jobTemplate: { spec: { template: { spec: pod } } } };
    expect(containersOf({ kind: 'CronJob', spec: cron })).toEqual(['web', 'wait']);
    expect(containersOf({ kind: 'Odd', spec: { template: 'x', containers: [null, {}] } })).toEqual([]);
    expect(containersOf(undefined)).toEqual([]);
  });
});

describe('an action', () => {
  it('to delete asks for the name, and for what holds data that it is meant', () => {
    expect(missingIn('delete', web, form())).toContain('Type web');
    expect(missingIn('delete', web, form({ typed: ' web ' }))).toBeUndefined();
    expect(missingIn('delete', claim, form({ typed: 'data' }))).toContain('data may be lost');
    expect(missingIn('delete', claim, form({ typed: 'data', data: true }))).toBeUndefined();
    expect(parametersOf('delete', form({ force: true, data: true }))).toEqual({
      propagation: 'Background',
      force: 'true',
      data: 'true',
    });
  });

  it('to scale asks for a number; others ask for nothing', () => {
    expect(missingIn('scale', web, form({ replicas: 'many' }))).toBeDefined();
    expect(missingIn('scale', web, form({ replicas: '3 ' }))).toBeUndefined();
    expect(parametersOf('scale', form({ replicas: '3 ' }))).toEqual({ replicas: '3' });
    expect(missingIn('restart', web, form())).toBeUndefined();
    expect(parametersOf('restart', form({ force: true }))).toEqual({});
  });

  it('that the page does not know is offered by its own name', () => {
    expect(actionText('polish').label).toBe('polish');
    expect(actionTitle('restart', web)).toBe('Restart Deployment shop/web');
  });
});
