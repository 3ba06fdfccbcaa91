import type { Health, KubeObject } from '@muster/kube';
import type { HealthChecks } from '@muster/kube/checks';

/** Told what a user's check says of an object, as it was at this resourceVersion. */
export type Judged = (key: string, resourceVersion: string, health: Health | null) => void;

/**
 * Judges objects by users' checks, one at a time and apart from the watch that brings them: of an object that changes
 * faster than its check runs, only the newest is judged.
 */
export class HealthJudge {
  private readonly checks: HealthChecks;
  private readonly told: Judged;
  private readonly waiting = new Map<string, KubeObject>();
  private running = false;

  constructor(checks: HealthChecks, told: Judged) {
    this.checks = checks;
    this.told = told;
  }

  /** Whether the health of an object is told later; the caller shows it as Progressing until then. */
  takes(key: string, object: KubeObject): boolean {
    if (!this.checks.has(object)) return false;
    this.waiting.set(key, object);
    void this.run();
    return true;
  }

  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    try {
      for (;;) {
        const next = this.waiting.entries().next().value;
        if (!next) return;
        const [key, object] = next;
        this.waiting.delete(key);
        const health = await this.checks.assess(object);
        this.told(key, object.metadata.resourceVersion ?? '', health);
      }
    } finally {
      this.running = false;
    }
  }
}
