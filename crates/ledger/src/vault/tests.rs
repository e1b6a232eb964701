#![allow(clippy::unwrap_used, reason = "a test, helpers included")]

use std::fs;

use tempfile::TempDir;

use super::*;

const BOUNDS: Bounds = Bounds { item_bytes: 1_000, total_bytes: 10_000 };

fn owner(user: &str) -> Owner {
    Owner { tenant: TenantId::new("t").unwrap(), user: UserId::new(user).unwrap() }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn vault(place: Place) -> Vault {
    Vault::open(place, &Secret::new([7; 32]), BOUNDS).unwrap()
}

async fn claim(vault: &Vault, user: &str, name: &str) -> Option<Kept> {
    let id = vault.id(&owner(user), Kind::Answer, name);
    vault.claim(id, name.into(), at(100), at(1)).await.unwrap()
}

#[tokio::test]
async fn a_name_is_taken_once_until_it_expires_or_is_released() {
    let vault = vault(Place::Memory);
    let id = vault.id(&owner("ann"), Kind::Answer, "k");
    assert_eq!(claim(&vault, "ann", "k").await, None);
    let taken = Kept { label: b"k".into(), content: None };
    assert_eq!(claim(&vault, "ann", "k").await, Some(taken));
    assert!(vault.put(id.clone(), b"answer".into()).await.unwrap());
    assert!(!vault.put(id.clone(), b"another".into()).await.unwrap());
    let kept = claim(&vault, "ann", "k").await.unwrap();
    assert_eq!(kept.content.as_deref(), Some(b"answer".as_slice()));
    assert_eq!(vault.get(id.clone(), at(100)).await.unwrap(), None);
    let after = vault.claim(id.clone(), b"again".into(), at(200), at(100)).await.unwrap();
    assert_eq!(after, None);
    vault.release(id.clone()).await.unwrap();
    assert_eq!(vault.get(id, at(1)).await.unwrap(), None);
}

#[tokio::test]
async fn x5_nobody_opens_what_is_anothers_or_of_another_kind() {
    let vault = vault(Place::Memory);
    assert_eq!(claim(&vault, "ann", "k").await, None);
    assert_eq!(claim(&vault, "eve", "k").await, None);
    let other = vault.id(&owner("ann"), Kind::Original, "k");
    assert_eq!(vault.get(other, at(1)).await.unwrap(), None);
}

#[tokio::test]
async fn the_file_tells_nothing_and_opens_only_with_its_secret() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("vault.db");
    let id = {
        let vault = vault(Place::File(path.clone()));
        assert_eq!(claim(&vault, "ann-the-user", "needle-name").await, None);
        let id = vault.id(&owner("ann-the-user"), Kind::Answer, "needle-name");
        assert!(vault.put(id.clone(), b"needle-content".into()).await.unwrap());
        id
    };
    for file in fs::read_dir(folder.path()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("needle") && !text.contains("ann-the-user"));
    }
    let again = vault(Place::File(path.clone()));
    assert!(again.get(id.clone(), at(1)).await.unwrap().unwrap().content.is_some());
    let other = Vault::open(Place::File(path), &Secret::new([8; 32]), BOUNDS).unwrap();
    let theirs = other.id(&owner("ann-the-user"), Kind::Answer, "needle-name");
    assert_ne!(theirs, id);
    assert_eq!(other.get(id, at(1)).await.unwrap(), None);
}

#[tokio::test]
async fn content_is_bounded_and_the_oldest_makes_room_but_keeps_its_name() {
    let vault = vault(Place::Memory);
    for number in 0..100 {
        let id = vault.id(&owner("ann"), Kind::Answer, &number.to_string());
        assert_eq!(
            vault.claim(id.clone(), Vec::new(), at(100 + number), at(1)).await.unwrap(),
            None
        );
        assert!(vault.put(id.clone(), vec![0; 900]).await.unwrap());
        assert!(!vault.put(id, vec![0; 1_001]).await.unwrap());
    }
    let kept = |number: i64| {
        let id = vault.id(&owner("ann"), Kind::Answer, &number.to_string());
        vault.get(id, at(1))
    };
    assert!(kept(0).await.unwrap().unwrap().content.is_none());
    assert!(kept(99).await.unwrap().unwrap().content.is_some());
}

#[tokio::test]
async fn erasing_leaves_nothing_of_one_user_and_all_of_another() {
    let folder = TempDir::new().unwrap();
    let vault = vault(Place::File(folder.path().join("vault.db")));
    for user in ["ann", "bob"] {
        for name in ["1", "2"] {
            assert_eq!(claim(&vault, user, name).await, None);
        }
    }
    assert_eq!(vault.erase(owner("ann")).await.unwrap(), 2);
    assert_eq!(claim(&vault, "ann", "1").await, None);
    assert!(claim(&vault, "bob", "1").await.is_some());
}

#[test]
fn a_secret_is_made_once_and_a_damaged_one_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("secret");
    let made = Secret::in_file(&path).unwrap().derive("a");
    assert_eq!(Secret::in_file(&path).unwrap().derive("a"), made);
    assert_ne!(Secret::in_file(&path).unwrap().derive("b"), made);
    fs::write(&path, "abc").unwrap();
    assert!(Secret::in_file(&path).unwrap_err().to_string().contains("64 hexadecimal digits"));
}
