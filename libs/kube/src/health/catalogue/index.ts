import type { GroupRules } from '../rules.ts';
import * as acidZalanDo from './acid.zalan.do.ts';
import * as acmeCertManagerIo from './acme.cert-manager.io.ts';
import * as addonsClusterXK8sIo from './addons.cluster.x-k8s.io.ts';
import * as altinityCom from './altinity.com.ts';
import * as apiextensionsK8sIo from './apiextensions.k8s.io.ts';
import * as apps3scaleNet from './apps.3scale.net.ts';
import * as appsKruiseIo from './apps.kruise.io.ts';
import * as appsOpenshiftIo from './apps.openshift.io.ts';
import * as argoprojIo from './argoproj.io.ts';
import * as astraNetappIo from './astra.netapp.io.ts';
import * as awsCrossplaneIo from './aws.crossplane.io.ts';
import * as batch from './batch.ts';
import * as bitnamiCom from './bitnami.com.ts';
import * as camelApacheOrg from './camel.apache.org.ts';
import * as capabilities3scaleNet from './capabilities.3scale.net.ts';
import * as cassandraRookIo from './cassandra.rook.io.ts';
import * as cdiKubevirtIo from './cdi.kubevirt.io.ts';
import * as cephRookIo from './ceph.rook.io.ts';
import * as certManagerIo from './cert-manager.io.ts';
import * as clusterXK8sIo from './cluster.x-k8s.io.ts';
import * as cnrmCloudGoogleCom from './cnrm.cloud.google.com.ts';
import * as controlplaneClusterXK8sIo from './controlplane.cluster.x-k8s.io.ts';
import * as coralogixCom from './coralogix.com.ts';
import * as coreGardenerCloud from './core.gardener.cloud.ts';
import * as coreHumioCom from './core.humio.com.ts';
import * as coreSpinkubeDev from './core.spinkube.dev.ts';
import * as crossplaneIo from './crossplane.io.ts';
import * as datadoghqCom from './datadoghq.com.ts';
import * as dbAtlasgoIo from './db.atlasgo.io.ts';
import * as elasticCo from './elastic.co.ts';
import * as externalSecretsIo from './external-secrets.io.ts';
import * as flaggerApp from './flagger.app.ts';
import * as flinkApacheOrg from './flink.apache.org.ts';
import * as gameKruiseIo from './game.kruise.io.ts';
import * as gatewayEnvoyproxyIo from './gateway.envoyproxy.io.ts';
import * as gatewayNetworkingK8sIo from './gateway.networking.k8s.io.ts';
import * as grafanaIntegreatlyOrg from './grafana.integreatly.org.ts';
import * as iammanagerKeikoprojIo from './iammanager.keikoproj.io.ts';
import * as installIstioIo from './install.istio.io.ts';
import * as jaegertracingIo from './jaegertracing.io.ts';
import * as k8sKeycloakOrg from './k8s.keycloak.org.ts';
import * as kafkaBanzaicloudIo from './kafka.banzaicloud.io.ts';
import * as kafkaStrimziIo from './kafka.strimzi.io.ts';
import * as karpenterSh from './karpenter.sh.ts';
import * as kedaSh from './keda.sh.ts';
import * as keptnSh from './keptn.sh.ts';
import * as kialiIo from './kiali.io.ts';
import * as knativeDev from './knative.dev.ts';
import * as kroRun from './kro.run.ts';
import * as kubevirtIo from './kubevirt.io.ts';
import * as kubitusProjectGitlabIo from './kubitus-project.gitlab.io.ts';
import * as kyvernoIo from './kyverno.io.ts';
import * as mariadbCom from './mariadb.com.ts';
import * as medusaK8ssandraIo from './medusa.k8ssandra.io.ts';
import * as microgatewayAirlockCom from './microgateway.airlock.com.ts';
import * as minioMinIo from './minio.min.io.ts';
import * as monitoringCoreosCom from './monitoring.coreos.com.ts';
import * as networkingGkeIo from './networking.gke.io.ts';
import * as nmstateIo from './nmstate.io.ts';
import * as numaprojIo from './numaproj.io.ts';
import * as objectbucketIo from './objectbucket.io.ts';
import * as onepasswordCom from './onepassword.com.ts';
import * as openfaasCom from './openfaas.com.ts';
import * as openshiftIo from './openshift.io.ts';
import * as opentelemetryIo from './opentelemetry.io.ts';
import * as operatorVictoriametricsCom from './operator.victoriametrics.com.ts';
import * as operatorsCoreosCom from './operators.coreos.com.ts';
import * as perconaCom from './percona.com.ts';
import * as pkgCrossplaneIo from './pkg.crossplane.io.ts';
import * as platformConfluentIo from './platform.confluent.io.ts';
import * as policy from './policy.ts';
import * as policyOpenClusterManagementIo from './policy.open-cluster-management.io.ts';
import * as postgresqlCnpgIo from './postgresql.cnpg.io.ts';
import * as proclaimDogmatiqIo from './proclaim.dogmatiq.io.ts';
import * as projectcapsuleDev from './projectcapsule.dev.ts';
import * as projectcontourIo from './projectcontour.io.ts';
import * as promoterArgoprojIo from './promoter.argoproj.io.ts';
import * as pulumiCom from './pulumi.com.ts';
import * as rabbitmqCom from './rabbitmq.com.ts';
import * as rolloutsKruiseIo from './rollouts.kruise.io.ts';
import * as servicesCloudSapCom from './services.cloud.sap.com.ts';
import * as servicesK8sAws from './services.k8s.aws.ts';
import * as servingKserveIo from './serving.kserve.io.ts';
import * as snapshotStorageK8sIo from './snapshot.storage.k8s.io.ts';
import * as soloIo from './solo.io.ts';
import * as solrApacheOrg from './solr.apache.org.ts';
import * as sparkoperatorK8sIo from './sparkoperator.k8s.io.ts';
import * as spotIo from './spot.io.ts';
import * as tektonDev from './tekton.dev.ts';
import * as toolkitFluxcdIo from './toolkit.fluxcd.io.ts';
import * as towerAnsibleCom from './tower.ansible.com.ts';
import * as tridentNetappIo from './trident.netapp.io.ts';
import * as upboundIo from './upbound.io.ts';
import * as veleroIo from './velero.io.ts';
import * as workKarmadaIo from './work.karmada.io.ts';
import * as zookeeperPravegaIo from './zookeeper.pravega.io.ts';

/** Rules by API group. To add a group, add its file and one line here. */
export const GROUPS: Record<string, GroupRules> = {
  'acid.zalan.do': acidZalanDo.rules,
  'acme.cert-manager.io': acmeCertManagerIo.rules,
  'addons.cluster.x-k8s.io': addonsClusterXK8sIo.rules,
  'addons.projectcapsule.dev': projectcapsuleDev.addons,
  'apiextensions.k8s.io': apiextensionsK8sIo.rules,
  'apps.3scale.net': apps3scaleNet.rules,
  'apps.kruise.io': appsKruiseIo.rules,
  'apps.openshift.io': appsOpenshiftIo.rules,
  'argoproj.io': argoprojIo.rules,
  'astra.netapp.io': astraNetappIo.rules,
  batch: batch.rules,
  'beat.k8s.elastic.co': elasticCo.beat,
  'bitnami.com': bitnamiCom.rules,
  'camel.apache.org': camelApacheOrg.rules,
  'capabilities.3scale.net': capabilities3scaleNet.rules,
  'capsule.clastix.io': projectcapsuleDev.capsule,
  'cassandra.rook.io': cassandraRookIo.rules,
  'cdi.kubevirt.io': cdiKubevirtIo.rules,
  'ceph.rook.io': cephRookIo.rules,
  'cert-manager.io': certManagerIo.rules,
  'certmanager.k8s.io': certManagerIo.legacy,
  'clickhouse-keeper.altinity.com': altinityCom.keeper,
  'clickhouse.altinity.com': altinityCom.clickhouse,
  'cloudfront.aws.crossplane.io': awsCrossplaneIo.cloudfront,
  'cluster.x-k8s.io': clusterXK8sIo.rules,
  'controlplane.cluster.x-k8s.io': controlplaneClusterXK8sIo.rules,
  'coralogix.com': coralogixCom.rules,
  'core.gardener.cloud': coreGardenerCloud.rules,
  'core.humio.com': coreHumioCom.rules,
  'core.spinkube.dev': coreSpinkubeDev.rules,
  'datadoghq.com': datadoghqCom.rules,
  'db.atlasgo.io': dbAtlasgoIo.rules,
  'elasticsearch.k8s.elastic.co': elasticCo.elasticsearch,
  'external-secrets.io': externalSecretsIo.rules,
  'flagger.app': flaggerApp.rules,
  'flink.apache.org': flinkApacheOrg.rules,
  'game.kruise.io': gameKruiseIo.rules,
  'gateway.envoyproxy.io': gatewayEnvoyproxyIo.rules,
  'gateway.networking.k8s.io': gatewayNetworkingK8sIo.rules,
  'gateway.solo.io': soloIo.gateway,
  'gloo.solo.io': soloIo.gloo,
  'grafana-org-operator.kubitus-project.gitlab.io': kubitusProjectGitlabIo.rules,
  'grafana.integreatly.org': grafanaIntegreatlyOrg.rules,
  'helm.toolkit.fluxcd.io': toolkitFluxcdIo.helm,
  'iam.aws.crossplane.io': awsCrossplaneIo.iam,
  'iammanager.keikoproj.io': iammanagerKeikoprojIo.rules,
  'image.toolkit.fluxcd.io': toolkitFluxcdIo.image,
  'install.istio.io': installIstioIo.rules,
  'jaegertracing.io': jaegertracingIo.rules,
  'k8s.keycloak.org': k8sKeycloakOrg.rules,
  'k8s.mariadb.com': mariadbCom.rules,
  'kafka.banzaicloud.io': kafkaBanzaicloudIo.rules,
  'kafka.strimzi.io': kafkaStrimziIo.rules,
  'karpenter.k8s.aws': karpenterSh.aws,
  'karpenter.sh': karpenterSh.rules,
  'keda.sh': kedaSh.rules,
  'kiali.io': kialiIo.rules,
  'kro.run': kroRun.rules,
  'kubernetes-client.io': externalSecretsIo.legacy,
  'kubevirt.io': kubevirtIo.rules,
  'kustomize.toolkit.fluxcd.io': toolkitFluxcdIo.kustomize,
  'kyverno.io': kyvernoIo.rules,
  'lifecycle.keptn.sh': keptnSh.lifecycle,
  'logstash.k8s.elastic.co': elasticCo.logstash,
  'mariadb.mmontes.io': mariadbCom.legacy,
  'medusa.k8ssandra.io': medusaK8ssandraIo.rules,
  'metrics.keptn.sh': keptnSh.metrics,
  'microgateway.airlock.com': microgatewayAirlockCom.rules,
  'minio.min.io': minioMinIo.rules,
  'monitoring.coreos.com': monitoringCoreosCom.rules,
  'networking.gke.io': networkingGkeIo.rules,
  'nmstate.io': nmstateIo.rules,
  'notification.toolkit.fluxcd.io': toolkitFluxcdIo.notification,
  'numaflow.numaproj.io': numaprojIo.numaflow,
  'numaplane.numaproj.io': numaprojIo.numaplane,
  'objectbucket.io': objectbucketIo.rules,
  'ocs.openshift.io': openshiftIo.storage,
  'onepassword.com': onepasswordCom.rules,
  'openfaas.com': openfaasCom.rules,
  'opentelemetry.io': opentelemetryIo.rules,
  'operator.knative.dev': knativeDev.operator,
  'operator.openshift.io': openshiftIo.operator,
  'operator.victoriametrics.com': operatorVictoriametricsCom.rules,
  'operators.coreos.com': operatorsCoreosCom.rules,
  'pkg.crossplane.io': pkgCrossplaneIo.rules,
  'platform.confluent.io': platformConfluentIo.rules,
  'policies.kyverno.io': kyvernoIo.policies,
  policy: policy.rules,
  'policy.open-cluster-management.io': policyOpenClusterManagementIo.rules,
  'postgresql.cnpg.io': postgresqlCnpgIo.rules,
  'proclaim.dogmatiq.io': proclaimDogmatiqIo.rules,
  'projectcontour.io': projectcontourIo.rules,
  'promoter.argoproj.io': promoterArgoprojIo.rules,
  'psmdb.percona.com': perconaCom.mongodb,
  'pulumi.com': pulumiCom.rules,
  'pxc.percona.com': perconaCom.xtradb,
  'rabbitmq.com': rabbitmqCom.rules,
  'rds.aws.crossplane.io': awsCrossplaneIo.rds,
  'rollouts.kruise.io': rolloutsKruiseIo.rules,
  'route.openshift.io': openshiftIo.route,
  'route53.aws.crossplane.io': awsCrossplaneIo.route53,
  's3.aws.crossplane.io': awsCrossplaneIo.s3,
  'services.cloud.sap.com': servicesCloudSapCom.rules,
  'serving.knative.dev': knativeDev.serving,
  'serving.kserve.io': servingKserveIo.rules,
  'snapshot.storage.k8s.io': snapshotStorageK8sIo.rules,
  'solr.apache.org': solrApacheOrg.rules,
  'source.toolkit.fluxcd.io': toolkitFluxcdIo.sources,
  'sparkoperator.k8s.io': sparkoperatorK8sIo.rules,
  'spot.io': spotIo.rules,
  'stacks.crossplane.io': pkgCrossplaneIo.stacks,
  'tekton.dev': tektonDev.rules,
  'tower.ansible.com': towerAnsibleCom.rules,
  'trident.netapp.io': tridentNetappIo.rules,
  'trust.cert-manager.io': certManagerIo.trust,
  'velero.io': veleroIo.rules,
  'work.karmada.io': workKarmadaIo.rules,
  'zookeeper.pravega.io': zookeeperPravegaIo.rules,
};

/** Rules by the end of the API group, for providers that make a group for each service; tried after `GROUPS`. */
export const GROUP_SUFFIXES: Record<string, GroupRules> = {
  '.cnrm.cloud.google.com': cnrmCloudGoogleCom.rules,
  '.crossplane.io': crossplaneIo.rules,
  '.services.k8s.aws': servicesK8sAws.rules,
  '.upbound.io': upboundIo.rules,
};
