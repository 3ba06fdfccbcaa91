import { ApplicationStatus, Report, ResourceStatus } from '@muster/proto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planReports } from './report-plan.ts';

const status = (name: string, sync: string, resources: string[] = [], complete = false) =>
  ApplicationStatus.fromPartial({
    applicationNamespace: 'argocd',
    applicationName: name,
    sync,
    resources: resources.map((each) => ResourceStatus.fromPartial({ kind: 'ConfigMap', name: each })),
    resourcesComplete: complete,
  });
const report = (sequence: bigint, applications: ApplicationStatus[] = [], more: Partial<Report> = {}) =>
  Report.fromPartial({ instanceId: 'i1', sequence, applications, ...more });

describe('a run of reports', () => {
  it('is taken in order and acknowledged one by one', () => {
    const plan = planReports(undefined, [
      report(1n, [status('a', 'OutOfSync')]),
      report(2n, [status('a', 'Synced')]),
    ]);
    expect(plan.answers.map((each) => [each.sequence, each.gap])).toEqual([
      [1n, false],
      [2n, false],
    ]);
    expect(plan.statuses.map((each) => each.sync)).toEqual(['Synced']);
    expect(plan.cursor).toEqual({ instanceId: 'i1', sequence: 2n });
  });

  it('acknowledges what it has already and writes nothing', () => {
    const plan = planReports({ instanceId: 'i1', sequence: 7n }, [
      report(6n, [status('a', 'Synced')]),
      report(7n),
    ]);
    expect(plan.answers).toEqual([
      { instanceId: 'i1', sequence: 7n, gap: false },
      { instanceId: 'i1', sequence: 7n, gap: false },
    ]);
    expect(plan.empty).toBe(true);
    expect(plan.statuses).toEqual([]);
  });

  it('asks again from the last stored one when a report is missing', () => {
    const plan = planReports({ instanceId: 'i1', sequence: 3n }, [report(5n, [status('a', 'Synced')])]);
    expect(plan.answers).toEqual([{ instanceId: 'i1', sequence: 3n, gap: true }]);
    expect(plan.empty).toBe(true);
  });

  it('takes a snapshot after a gap, and drops what was said before it', () => {
    const plan = planReports({ instanceId: 'i1', sequence: 3n }, [
      report(4n, [status('old', 'Synced')]),
      report(9n, [status('a', 'Synced')], { snapshot: true }),
    ]);
    expect(plan.snapshot).toBe(true);
    expect(plan.statuses.map((each) => each.applicationName)).toEqual(['a']);
    expect(plan.cursor?.sequence).toBe(9n);
  });

  it('does not take the middle of another instance', () => {
    expect(planReports({ instanceId: 'i0', sequence: 9n }, [report(2n)]).answers[0]).toEqual({
      instanceId: 'i1',
      sequence: 0n,
      gap: true,
    });
    expect(planReports({ instanceId: 'i0', sequence: 9n }, [report(1n)]).cursor).toEqual({
      instanceId: 'i1',
      sequence: 1n,
    });
  });

  it('keeps the resource changes of each report of an Application', () => {
    const plan = planReports(undefined, [
      report(1n, [status('a', 'Synced', ['x'])]),
      report(2n, [status('a', 'Synced', ['y'])]),
    ]);
    expect(plan.statuses[0]!.resources.map((each) => each.name).sort()).toEqual(['x', 'y']);
  });

  it('forgets the status of what is gone', () => {
    const gone = {
      applicationNamespace: 'argocd',
      applicationName: 'a',
      version: undefined,
      action: 2 as const,
      finishedAtMs: 0n,
    };
    const plan = planReports(undefined, [
      report(1n, [status('a', 'Synced')]),
      report(2n, [], { gone: [gone] }),
    ]);
    expect(plan.statuses).toEqual([]);
    expect(plan.gone.map((each) => each.applicationName)).toEqual(['a']);
  });

  it('comes to the same cursor however its reports are cut, repeated or lost before they are sent again', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 40 }), (order) => {
        let cursor: { instanceId: string; sequence: bigint } | undefined;
        const stored: bigint[] = [];
        for (const next of order) {
          const plan = planReports(cursor, [report(BigInt(next), [status('a', 'Synced')])]);
          if (!plan.empty) stored.push(plan.cursor!.sequence);
          cursor = plan.cursor;
        }
        for (let next = (cursor?.sequence ?? 0n) + 1n; next <= 8n; next++) {
          const plan = planReports(cursor, [report(next)]);
          stored.push(next);
          cursor = plan.cursor;
        }
        expect(stored).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n]);
      }),
    );
  });
});
