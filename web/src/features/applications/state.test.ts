import { describe, expect, it } from 'vitest';
import { application } from './sample.fixture.ts';
import { mostUrgent, needsAttention, shownRevision, toneOf } from './state.ts';

const operation = (phase: string) => ({ phase, message: '', retries: 0 });

describe('the tone of an Application', () => {
  it('is good only when it is in sync and healthy', () => {
    expect(toneOf(application())).toBe('good');
    expect(toneOf(application({ health: 'Degraded' }))).toBe('bad');
    expect(toneOf(application({ sync: 'OutOfSync' }))).toBe('warn');
    expect(toneOf(application({ health: 'Progressing' }))).toBe('busy');
  });

  it('is unknown when the cluster is silent, whatever was last reported', () => {
    const clusterState = { connected: false, silentSince: '2026-01-01T00:00:00Z' };
    expect(toneOf(application({ health: 'Degraded', clusterState }))).toBe('idle');
  });

  it('is busy while an operation brings it into sync, unless something is broken', () => {
    expect(toneOf(application({ sync: 'OutOfSync', operation: operation('Running') }))).toBe('busy');
    expect(toneOf(application({ health: 'Degraded', operation: operation('Running') }))).toBe('bad');
  });

  it('is bad when rendering or the last operation failed, though the cluster is fine', () => {
    expect(toneOf(application({ conditions: [{ type: 'RenderError', message: 'no such file' }] }))).toBe(
      'bad',
    );
    expect(toneOf(application({ operation: operation('Failed') }))).toBe('bad');
  });

  it('takes a word it does not know for unknown', () => {
    expect(toneOf(application({ sync: 'Sideways' }))).toBe('idle');
  });
});

describe('several Applications', () => {
  it('are as urgent as the worst of them', () => {
    const broken = application({ name: 'broken', health: 'Degraded' });
    expect(mostUrgent([application(), application({ sync: 'OutOfSync' }), broken])).toBe(broken);
    expect(mostUrgent([])).toBeUndefined();
  });

  it('need attention unless fine or on their way', () => {
    expect(needsAttention(application({ health: 'Progressing' }))).toBe(false);
    expect(needsAttention(application({ health: 'Missing' }))).toBe(true);
  });
});

describe('the revision of an Application', () => {
  const source = { repoURL: 'https://git.example.com/shop', targetRevision: 'main' };
  const revision = { commit: 'a'.repeat(40) };

  it('is a commit for each of its sources', () => {
    const sources = [
      { ...source, commit: 'a'.repeat(40) },
      { ...source, commit: 'b'.repeat(40) },
    ];
    expect(shownRevision(application({ revision }))).toBe('aaaaaaa');
    expect(shownRevision(application({ revision, sources }))).toBe('aaaaaaa, bbbbbbb');
    expect(shownRevision(application({ sources: [source, source] }))).toBe('');
  });
});
