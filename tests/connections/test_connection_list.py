from django.urls import reverse


def test_it_works(developer_client):
    response = developer_client.get(reverse("connection_list"))
    assert response.status_code == 200
