import { type DynamicModule, Module } from '@nestjs/common';
import { AccessModule } from './access/access.module.ts';
import { AgentsModule } from './agents/agents.module.ts';
import { ApiModule, HttpModule } from './api/api.module.ts';
import { AsksModule } from './asks/asks.module.ts';
import { AuditModule } from './audit/audit.module.ts';
import { ClusterRemovalModule } from './clusters/cluster-removal.module.ts';
import { ClustersModule } from './clusters/clusters.module.ts';
import { CommandsModule } from './commands/commands.module.ts';
import { CONFIG, type Config } from './config.ts';
import { KeysModule } from './keys/keys.module.ts';
import { PipelineModule } from './pipeline.module.ts';
import { QueueModule } from './queue/queue.module.ts';
import { RecoveryModule } from './recovery/recovery.module.ts';
import { UnclaimedModule } from './recovery/unclaimed.module.ts';
import { StatusModule } from './status/status.module.ts';
import { type Store, StoreModule } from './store/store.module.ts';
import type { Logger } from './telemetry/logger.ts';
import { TelemetryModule } from './telemetry/telemetry.module.ts';

/** What `main.ts` made before the app. */
export interface Boot {
  config: Config;
  logger: Logger;
  store: Store;
}

@Module({})
class ConfigModule {
  static forRoot(config: Config): DynamicModule {
    return {
      module: ConfigModule,
      global: true,
      providers: [{ provide: CONFIG, useValue: config }],
      exports: [CONFIG],
    };
  }
}

/** The modules of the capabilities, in the order of the flow. */
const CAPABILITIES: NonNullable<DynamicModule['imports']> = [
  KeysModule,
  RecoveryModule,
  ClustersModule,
  CommandsModule,
  AsksModule,
  StatusModule,
  ClusterRemovalModule,
  UnclaimedModule,
  AgentsModule,
  PipelineModule,
];

@Module({})
export class AppModule {
  static forRoot({ config, logger, store }: Boot): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(config),
        TelemetryModule.forRoot(logger),
        StoreModule.forRoot(store),
        QueueModule.forRoot(),
        AccessModule,
        AuditModule,
        ApiModule,
        HttpModule,
        ...CAPABILITIES,
      ],
    };
  }
}
