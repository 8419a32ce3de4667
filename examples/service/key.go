package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
)

// shownKey is how many bytes of a key's hash are shown, as two digits each.
const shownKey = 8

// hashedKey returns the form in which keys are shown on spans and events: one can tell
// that two of them are of the same key, and check which key it is, but not read it. A
// plain hash would not do, because IDs of users are few and easily tried one by one;
// that takes the secret.
//
// An empty secret stands for a random one: then only hashes of this process can be
// compared.
func hashedKey(secret string) func(key string) string {
	if secret == "" {
		secret = rand.Text()
	}
	return func(key string) string {
		h := hmac.New(sha256.New, []byte(secret))
		h.Write([]byte(key)) // never fails
		return hex.EncodeToString(h.Sum(nil)[:shownKey])
	}
}
