CREATE TABLE vtiger_crmentity (crmid int, smownerid int, setype varchar(30), deleted int, createdtime datetime);
CREATE TABLE vtiger_users (id int, user_name varchar(255), email1 varchar(100), first_name varchar(30), last_name varchar(30), status varchar(25), deleted int);
CREATE TABLE vtiger_contactdetails (contactid int, phone varchar(50), mobile varchar(50));
CREATE TABLE vtiger_contactsubdetails (contactsubscriptionid int, homephone varchar(50), otherphone varchar(50));
CREATE TABLE vtiger_leaddetails (leadid int, converted int);
CREATE TABLE vtiger_leadaddress (leadaddressid int, phone varchar(50), mobile varchar(50));
CREATE TABLE vtiger_account (accountid int, phone varchar(30), otherphone varchar(30));
INSERT INTO vtiger_users
VALUES
  (5, 'lan', 'lan@congty.example', 'Lan', 'Nguyễn Thị', 'Active', 0),
  (6, 'minh', '', '', 'Minh', 'Active', 0),
  (7, 'nghi', 'nghi@congty.example', '', 'Nghi', 'Inactive', 0);
INSERT INTO vtiger_crmentity
VALUES
  (11, 5, 'Contacts', 0, '2024-01-01'),
  (12, 3, 'Contacts', 0, '2025-01-01'),
  (13, 7, 'Contacts', 0, '2025-01-01'),
  (14, 6, 'Leads', 0, '2025-01-01'),
  (15, 5, 'Accounts', 0, '2023-01-01'),
  (16, 6, 'Contacts', 1, '2025-01-01'),
  (17, 6, 'Leads', 0, '2025-01-01');
INSERT INTO vtiger_contactdetails
VALUES
  (11, '', '0123.456.7890'),
  (12, '0901234567', ''),
  (13, '0901234567', ''),
  (16, '0901234567', '');
INSERT INTO vtiger_contactsubdetails
VALUES
  (11, '+84 90 123 45 67', NULL),
  (12, NULL, NULL),
  (13, NULL, NULL);
INSERT INTO vtiger_leaddetails
VALUES
  (14, 0),
  (17, 1);
INSERT INTO vtiger_leadaddress
VALUES
  (14, '0901 234 567 ext 12', NULL),
  (17, '0912345678', NULL);
INSERT INTO vtiger_account
VALUES
  (15, '028 3812 3456', NULL);
