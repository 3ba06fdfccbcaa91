import { Global, Module } from '@nestjs/common';
import { CONFIG, type Config } from '../config.ts';
import { Keys } from './keys.ts';
import { KeysController } from './keys.controller.ts';
import { RotationRepository } from './rotation.repository.ts';
import { RotationService } from './rotation.service.ts';

/** Everything secret, from the keys folder. */
@Global()
@Module({
  controllers: [KeysController],
  providers: [
    {
      provide: Keys,
      inject: [CONFIG],
      useFactory: (config: Config) => Keys.open(config.keysDir, config.createKeys),
    },
    RotationRepository,
    RotationService,
  ],
  exports: [Keys, RotationService],
})
export class KeysModule {}
