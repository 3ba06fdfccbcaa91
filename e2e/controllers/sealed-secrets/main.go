// Command sealed-secrets runs the Sealed Secrets controller beside a control plane. The controller's own main
// takes its credentials from a Pod's files only; this one takes them from KUBECONFIG.
package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/signal"
	"reflect"
	"syscall"
	"time"
	"unsafe"

	versioned "github.com/bitnami/sealed-secrets/pkg/client/clientset/versioned"
	sealedinformers "github.com/bitnami/sealed-secrets/pkg/client/informers/externalversions"
	"github.com/bitnami/sealed-secrets/pkg/controller"
	"github.com/bitnami/sealed-secrets/pkg/crypto"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	namespace = "kube-system"
	prefix    = "sealed-secrets-key"
	keySize   = 2048
	retries   = 5
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "sealed-secrets:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	sealed, err := versioned.NewForConfig(config)
	if err != nil {
		return err
	}
	if err := ensureKey(ctx, client); err != nil {
		return err
	}
	registry := controller.NewKeyRegistry(client, namespace, prefix, controller.SealedSecretsKeyLabel, keySize)
	keys := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace),
		informers.WithTweakListOptions(func(options *metav1.ListOptions) {
			options.LabelSelector = controller.SealedSecretsKeyLabel + "=active"
		}))
	secrets := informers.NewSharedInformerFactory(client, 0)
	all := sealedinformers.NewSharedInformerFactory(sealed, 0)
	loop, err := controller.NewController(client, sealed, all, secrets, keys, registry, retries, "CertNotBefore")
	if err != nil {
		return err
	}
	reportStatus(loop)
	loop.Run(ctx.Done())
	return nil
}

// reportStatus sets what the controller's flag --update-status sets, which is on by default but not exported.
func reportStatus(loop *controller.Controller) {
	field := reflect.ValueOf(loop).Elem().FieldByName("updateStatus")
	reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().SetBool(true)
}

// ensureKey makes the key that secrets are sealed for, unless there is one; the controller watches for such Secrets.
func ensureKey(ctx context.Context, client kubernetes.Interface) error {
	found, err := client.CoreV1().Secrets(namespace).List(ctx, metav1.ListOptions{
		LabelSelector: controller.SealedSecretsKeyLabel + "=active",
	})
	if err != nil || len(found.Items) > 0 {
		return err
	}
	key, certificate, err := crypto.GeneratePrivateKeyAndCert(keySize, 365*24*time.Hour, "")
	if err != nil {
		return err
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName: prefix,
			Labels:       map[string]string{controller.SealedSecretsKeyLabel: "active"},
		},
		Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{
			corev1.TLSCertKey: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}),
			corev1.TLSPrivateKeyKey: pem.EncodeToMemory(
				&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
		},
	}
	_, err = client.CoreV1().Secrets(namespace).Create(ctx, secret, metav1.CreateOptions{})
	return err
}
