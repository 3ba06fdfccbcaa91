import type { PlanGroup, PlanResult } from '@muster/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labelChanges } from './commands/plan.ts';
import { MAX_MARKDOWN, markerOf, planMarkdown } from './plan-markdown.ts';
import { planText } from './plan-text.ts';
import { main } from './program.ts';
import { recordingTerminal } from './testing/terminal.ts';

const member = (n: number) => ({
  namespace: 'argocd',
  name: `page-c${n}`,
  project: 'default',
  cluster: `c${n}`,
});
const group = (text: string, more: Partial<PlanGroup> = {}): PlanGroup => ({
  change: 'changed',
  alike: 'exactly',
  added: 1,
  removed: 1,
  objects: [
    {
      action: 'changed',
      specification: false,
      apiVersion: 'v1',
      kind: 'ConfigMap',
      namespace: 'shop',
      name: 'page',
      added: 1,
      removed: 1,
      text,
      moreLines: 0,
    },
  ],
  omitted: false,
  applications: 212,
  clusters: 212,
  members: Array.from({ length: 10 }, (_, i) => member(i)),
  more: 202,
  ...more,
});
const plan = (groups: PlanGroup[], more: Partial<PlanResult> = {}): PlanResult => ({
  summary: {
    added: 0,
    changed: 212 * groups.length,
    removed: 1,
    held: 1,
    unchanged: 3,
    clusters: 212,
    errors: 0,
    sets: 1,
    renders: 1,
  },
  groups,
  moreGroups: 0,
  removals: [
    {
      set: 'argocd/page',
      action: 'uninstall',
      held: 'waits for an approval: all 1 Applications of cluster c9 would be removed',
      graceSeconds: 600,
      applications: 1,
      clusters: 1,
      members: [member(9)],
      more: 0,
    },
  ],
  errors: [],
  moreErrors: 0,
  notices: [],
  ...more,
});
const DIFF = ' data:\n-  colour: blue\n+  colour: green';

describe('a plan as text', () => {
  it('shows each change once, with the first of its clusters, and sums up at the end', () => {
    const text = planText(plan([group(DIFF)]), { colour: false, full: false, members: false });
    expect(text).toBe(
      [
        '~ 212 Applications on 212 clusters: this change of 1 line (+1 −1)',
        '    argocd/page-c0 (c0), argocd/page-c1 (c1), argocd/page-c2 (c2) and 209 more',
        '  ~ ConfigMap shop/page',
        '     data:',
        '    -  colour: blue',
        '    +  colour: green',
        '',
        '- 1 Application on 1 cluster removed from argocd/page, objects are deleted: waits for an approval: all 1 Applications of cluster c9 would be removed',
        '    argocd/page-c9 (c9)',
        '',
        'Plan: 212 to change, 1 to remove (1 waits for an approval) on 212 clusters.',
      ].join('\n'),
    );
  });

  it('names every Application on demand, and lets no text steer the terminal', () => {
    const text = planText(plan([group('+  a: \u001b[2J\u0007')]), {
      colour: true,
      full: false,
      members: true,
    });
    expect(text).toContain('    argocd/page-c9 (c9)\n    … and 202 more');
    expect(text).not.toMatch(/\u001b\[2J|\u0007/);
    expect(text).toContain('\u001b[32m');
  });
});

describe('a plan as markdown', () => {
  it('begins with its marker, folds groups and cannot be broken out of', () => {
    const text = planMarkdown(
      plan([group('+  a: |\n+    ```\n+    </details><img src=x>')], { notices: ['see @everyone <b>'] }),
      'staging/1',
    );
    expect(text.split('\n')[0]).toBe(markerOf('staging/1'));
    expect(text).toContain(
      '### 📝 Muster plan: 212 to change, 1 to remove (1 waits for an approval) on 212 clusters',
    );
    expect(text).toContain(
      '<details><summary>~ 212 Applications on 212 clusters: this change of 1 line (+1 −1)</summary>',
    );
    expect(text).toContain('````diff\n+  a: |\n+    ```\n+    </details><img src=x>\n````');
    expect(text).toContain('&lt;b&gt;');
    expect(text).not.toContain('@everyone');
  });

  it('never grows beyond what GitHub takes, and counts what it leaves out', () => {
    const line = fc.string({ maxLength: 3000 });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 60 }), fc.nat({ max: 5 }), (texts, moreGroups) => {
        const errors = texts.map((message) => ({
          object: 'application/argocd/x',
          type: 'RenderError',
          message,
          severity: 'error' as const,
          already: false,
          applications: 1,
          clusters: 1,
          members: [member(1)],
          more: 0,
        }));
        const text = planMarkdown(
          plan(
            texts.map((one) => group(one)),
            { errors, moreGroups },
          ),
          'x',
        );
        expect(text.length).toBeLessThanOrEqual(MAX_MARKDOWN);
      }),
      { numRuns: 30 },
    );
    const many = planMarkdown(
      plan(Array.from({ length: 400 }, (_, i) => group(`+${'x'.repeat(1500)}${i}`))),
      'x',
    );
    const shown = many.match(/this change of/g)!.length;
    expect(many).toContain(`… and ${400 - shown} more groups`);
    expect(many.length).toBeGreaterThan(MAX_MARKDOWN / 2);
  });
});

describe('muster plan', () => {
  const run = async (...args: string[]) => {
    const terminal = recordingTerminal();
    const environment = {
      configFile: '/nowhere',
      mayColour: false,
      hub: 'http://127.0.0.1:1',
      token: 'mst_x',
    };
    const code = await main(['plan', ...args], {
      terminal,
      environment,
      signal: new AbortController().signal,
    });
    return { code, notes: terminal.notes };
  };

  it('reads labels as kubectl does, for several clusters', () => {
    expect(labelChanges(['eu-1', 'env=prod', 'canary-', 'us-1', 'env='])).toEqual([
      { cluster: 'eu-1', set: { env: 'prod' }, remove: ['canary'] },
      { cluster: 'us-1', set: { env: '' }, remove: [] },
    ]);
    expect(() => labelChanges(['env=prod'])).toThrow('of which cluster?');
    expect(() => labelChanges(['eu-1'])).toThrow('which label?');
  });

  it('says what is missing on the command line', async () => {
    expect(await run()).toMatchObject({ code: 2, notes: expect.stringContaining('nothing is supposed') });
    expect((await run('--repo', 'https://git.example/x.git')).notes).toContain(
      'each --repo needs its --revision',
    );
    expect((await run('--label', 'c', 'a=b', '-o', 'wide')).notes).toContain('text, json, yaml, markdown');
    expect(await run('--label', 'c', 'a=b')).toMatchObject({
      code: 1,
      notes: expect.stringContaining('not reachable'),
    });
  });
});
